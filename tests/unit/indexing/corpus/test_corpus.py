"""Passages are read from every form that corpora come in, and what can't be read is named."""

import gzip
import json
import tracemalloc
from itertools import islice
from pathlib import Path

import pytest

from indexing.corpus import fields
from indexing.corpus.corpus import Corpus
from indexing.corpus.limits import LIMITS, ReadLimits
from indexing.errors import CorpusError, SettingsError
from indexing.records import Passage, PassageId
from tests.conftest import write_lines

CAT = Passage(PassageId("1"), "The cat sat.")
DOG = Passage(PassageId("2"), "The dog ran.")


def read(path: Path, limits: ReadLimits = LIMITS) -> list[Passage]:
    return list(Corpus(path, limits=limits))


def with_bytes(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def test_a_tsv_file_gives_ids_and_texts(tmp_path: Path) -> None:
    assert read(write_lines(tmp_path / "c.tsv", ["1\tThe cat sat.", "2\tThe dog ran."])) == [CAT, DOG]


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("c.tsv", ["1\tThe cat sat.", " "]),
        ("c.jsonl", ['{"id": 1, "text": "The cat sat."}', ""]),
        ("c.csv", ["id,text", ""]),
    ],
)
def test_an_empty_line_is_called_so(tmp_path: Path, name: str, lines: list[str]) -> None:
    with pytest.raises(CorpusError, match=f"{name}:2: the line is empty"):
        read(write_lines(tmp_path / name, lines))


def test_a_third_column_is_the_title(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "c.tsv", ["1\tIt sat.\tThe cat"])
    assert read(path) == [Passage(PassageId("1"), "It sat.", "The cat")]


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("c.tsv.gz", ["1\tThe cat sat.", "2\tThe dog ran."]),
        ("c.jsonl.gz", ['{"_id": "1", "text": "The cat sat."}', '{"_id": "2", "text": "The dog ran."}']),
    ],
)
def test_a_compressed_file_reads_as_a_plain_one(tmp_path: Path, name: str, lines: list[str]) -> None:
    path = with_bytes(tmp_path / name, gzip.compress("\n".join(lines).encode()))
    assert read(path) == [CAT, DOG]


@pytest.mark.parametrize("id_field", fields.ID_FIELDS)
@pytest.mark.parametrize("text_field", fields.TEXT_FIELDS)
def test_json_lines_may_name_id_and_text_as_known_collections_do(
    tmp_path: Path, id_field: str, text_field: str
) -> None:
    assert read(write_lines(tmp_path / "c.jsonl", [json.dumps({id_field: "1", text_field: "The cat sat."})])) == [CAT]


def test_json_lines_may_hold_a_title(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "c.jsonl", ['{"_id": "1", "title": "The cat", "text": "It sat."}'])
    assert read(path) == [Passage(PassageId("1"), "It sat.", "The cat")]


@pytest.mark.parametrize("name", fields.TITLE_FIELDS)
def test_json_lines_may_name_the_title_as_known_collections_do(tmp_path: Path, name: str) -> None:
    path = write_lines(tmp_path / "c.jsonl", [json.dumps({"docid": "1", name: "The cat", "body": "It sat."})])
    assert read(path) == [Passage(PassageId("1"), "It sat.", "The cat")]


def test_a_title_that_is_null_or_empty_is_none(tmp_path: Path) -> None:
    lines = ['{"id": "1", "text": "The cat sat.", "title": null}', '{"id": "2", "text": "The dog ran.", "title": ""}']
    assert read(write_lines(tmp_path / "c.jsonl", lines)) == [CAT, DOG]


def test_a_title_without_a_text_is_the_text(tmp_path: Path) -> None:
    # as in BEIR's trec-covid, where many articles have no abstract
    assert read(write_lines(tmp_path / "c.jsonl", ['{"_id": "1", "title": "The cat sat.", "text": ""}'])) == [CAT]
    assert read(write_lines(tmp_path / "c.tsv", ["1\t\tThe cat sat."])) == [CAT]


def test_an_id_that_is_a_number_in_json_is_its_digits(tmp_path: Path) -> None:
    assert read(write_lines(tmp_path / "c.jsonl", ['{"id": 1, "text": "The cat sat."}'])) == [CAT]


def test_a_folder_of_text_files_gives_a_passage_of_each_in_order_of_path(tmp_path: Path) -> None:
    write_lines(tmp_path / "2.txt", ["The dog", "ran."])
    write_lines(tmp_path / "1.txt", ["The cat sat."])
    assert read(tmp_path) == [CAT, DOG]


@pytest.mark.parametrize("name", ["c.tsv", "1.txt"])
def test_a_byte_order_mark_is_not_part_of_the_first_passage(tmp_path: Path, name: str) -> None:
    content = b"The cat sat." if name == "1.txt" else b"1\tThe cat sat."
    assert read(with_bytes(tmp_path / name, b"\xef\xbb\xbf" + content)) == [CAT]


def test_lines_may_end_in_crlf(tmp_path: Path) -> None:
    path = with_bytes(tmp_path / "c.tsv", b"1\tThe cat sat.\r\n2\tThe dog ran.\r\n")
    assert read(path) == [CAT, DOG]


def test_a_line_separator_of_unicode_does_not_end_a_line(tmp_path: Path) -> None:
    assert read(write_lines(tmp_path / "c.tsv", ["1\tThe\u2028cat\x85sat."])) == [CAT]


def test_runs_of_spaces_become_one(tmp_path: Path) -> None:
    assert read(write_lines(tmp_path / "c.tsv", ["1 \t  The   cat\u00a0sat. "])) == [CAT]


def fault(path: Path, limits: ReadLimits = LIMITS) -> str:
    with pytest.raises(CorpusError) as caught:
        read(path, limits)
    return str(caught.value)


GOOD = b"1\tThe cat sat.\n"
TSV_FAULTS = [
    (b"no tab here\n", "1 tab-separated fields"),
    (b"2\ta\tb\tc\n", "4 tab-separated fields"),
    (b" \ttext\n", "id is empty"),
    (b"2\t \n", "'2' has no text"),
    (b"1\tagain\n", "'1' appeared before"),
    (b"2\tnul \0 here\n", "NUL"),
    (b"2\tlatin \xe9\n", "byte 9 of the line is no UTF-8"),
]
JSON_FAULTS = [
    (b"{not json\n", "not JSON"),
    (b'["2", "text"]\n', "a JSON object is wanted"),
    (b'{"id": "2"}\n', "no text"),
    (b'{"text": "text"}\n', "no id"),
    (b'{"id": "2", "text": null}\n', "field 'text' holds null where text is expected"),
    (b'{"id": "2", "text": ["a", "list"]}\n', "field 'text' holds a list"),
    (b'{"id": "2", "text": {"an": "object"}}\n', "field 'text' holds an object"),
    (b'{"id": "2", "text": 42}\n', "field 'text' holds a number"),
    (b'{"id": "2", "text": "text", "title": ["a", "list"]}\n', "field 'title' holds a list"),
    (b'{"id": null, "text": "text"}\n', "field 'id' holds null where an id is expected"),
    (b'{"id": true, "text": "text"}\n', "field 'id' holds true or false"),
    (b'{"id": ["2"], "text": "text"}\n', "field 'id' holds a list"),
    (b'{"id": NaN, "text": "text"}\n', "field 'id' holds a number that isn't finite"),
    (b'{"id": "", "text": "text"}\n', "the id is empty"),
    (b'{"id": 1, "text": "again"}\n', "'1' appeared before"),
    (b'{"id": "2", "text": ""}\n', "has no text"),
    (b'{"id": "2", "text": "nul \\u0000 here"}\n', "NUL"),
    (b'{"id": "2", "text": "half a pair \\ud800"}\n', "half a surrogate pair"),
    (b'{"id": "\\u0000", "text": "text"}\n', "NUL"),
    (b'{"id": ' + b"1" * 5000 + b', "text": "long number"}\n', "not JSON that can be read"),
    (b'{"id": "2", "text": ' + b"[" * 100_000 + b"\n", "not JSON that can be read"),
]


@pytest.mark.parametrize(("line", "what"), TSV_FAULTS, ids=[what for _, what in TSV_FAULTS])
def test_a_bad_line_of_tsv_is_named_with_file_and_line(tmp_path: Path, line: bytes, what: str) -> None:
    path = with_bytes(tmp_path / "c.tsv", GOOD + line)
    assert f"{path}:2: " in fault(path)
    assert what in fault(path)


@pytest.mark.parametrize(("line", "what"), JSON_FAULTS, ids=[line[:40].decode() for line, _ in JSON_FAULTS])
def test_a_bad_line_of_json_is_named_with_file_and_line(tmp_path: Path, line: bytes, what: str) -> None:
    path = with_bytes(tmp_path / "c.jsonl", b'{"id": "1", "text": "good"}\n' + line)
    assert f"{path}:2: " in fault(path)
    assert what in fault(path)


def test_a_bad_line_is_told_with_what_to_do(tmp_path: Path) -> None:
    assert "--on-bad-line skip" in fault(write_lines(tmp_path / "c.tsv", ["no tab here"]))


def test_a_line_over_the_limit_is_named(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "c.tsv", ["1\tThe cat sat.", "2\t" + "long " * 40, "3\tshort"])
    assert f"{path}:2: the line is longer than 20 bytes" in fault(path, ReadLimits(line=20))


def test_the_rest_of_a_line_over_the_limit_is_no_line_of_its_own(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "c.tsv", ["1\t" + "long " * 40, "2\tThe dog ran."])
    given = Corpus(path, skip_bad_lines=True, limits=ReadLimits(line=20))
    assert list(given) == [DOG]
    assert len(given.skipped) == 1


@pytest.mark.parametrize("ending", ["\n", "\r\n", ""])
def test_a_line_of_exactly_the_limit_is_read(tmp_path: Path, ending: str) -> None:
    path = with_bytes(tmp_path / "c.tsv", f"1\tThe cat sat.{ending}".encode())
    assert read(path, ReadLimits(line=len("1\tThe cat sat."))) == [CAT]


def test_a_text_file_that_is_no_utf8_is_named(tmp_path: Path) -> None:
    path = with_bytes(tmp_path / "1.txt", b"caf\xe9")
    assert f"{path}: byte 4" in fault(tmp_path)


def test_text_files_of_one_name_in_two_folders_are_told(tmp_path: Path) -> None:
    write_lines(tmp_path / "a/1.txt", ["The cat sat."])
    write_lines(tmp_path / "b/1.txt", ["The dog ran."])
    assert f"{tmp_path / 'b/1.txt'}: passage id '1' appeared before" in fault(tmp_path)


def test_a_compressed_file_that_is_cut_off_is_named(tmp_path: Path) -> None:
    whole = gzip.compress(b"".join(b"%d\tpassage %d\n" % (number, number * 7919) for number in range(5000)))
    assert "c.tsv.gz" in fault(with_bytes(tmp_path / "c.tsv.gz", whole[: len(whole) // 2]))


def test_a_file_that_is_called_gz_and_is_not_compressed_is_named(tmp_path: Path) -> None:
    assert "c.tsv.gz" in fault(with_bytes(tmp_path / "c.tsv.gz", GOOD))


def test_a_path_that_is_absent_is_named(tmp_path: Path) -> None:
    assert str(tmp_path / "nowhere") in fault(tmp_path / "nowhere")


def test_a_folder_without_a_corpus_is_told_with_the_names_looked_for(tmp_path: Path) -> None:
    assert "collection.tsv" in fault(tmp_path)


def test_a_file_of_a_strange_ending_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"c\.docx"):
        read(write_lines(tmp_path / "c.docx", ["1,The cat sat."]))


def test_skip_bad_lines_reads_the_rest(tmp_path: Path) -> None:
    path = with_bytes(tmp_path / "c.tsv", GOOD + b"".join(line for line, _ in TSV_FAULTS) + b"2\tThe dog ran.\n")
    assert list(Corpus(path, skip_bad_lines=True)) == [CAT, DOG]


def test_skip_bad_lines_lists_each_with_file_and_line(tmp_path: Path) -> None:
    path = with_bytes(tmp_path / "c.tsv", GOOD + b"".join(line for line, _ in TSV_FAULTS))
    given = Corpus(path, skip_bad_lines=True)
    list(given)
    assert [fault.split(": ")[0] for fault in given.skipped] == [f"{path}:{number}" for number in range(2, 9)]


def test_lines_left_out_are_counted_beyond_those_that_are_listed(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "c.tsv", ["no tab here"] * 5 + ["1\tThe cat sat."])
    given = Corpus(path, skip_bad_lines=True, limits=ReadLimits(faults=3))
    assert list(given) == [CAT]
    assert given.skipped_count == 5
    assert [fault.split(": ")[0] for fault in given.skipped] == [f"{path}:1", f"{path}:2", f"{path}:3"]


def test_the_first_1000_lines_left_out_are_listed(tmp_path: Path) -> None:
    given = Corpus(write_lines(tmp_path / "c.tsv", ["no tab here"] * 1_001), skip_bad_lines=True)
    assert list(given) == []
    assert (len(given.skipped), given.skipped_count) == (1_000, 1_001)


def test_a_corpus_that_is_read_again_gives_the_same(tmp_path: Path) -> None:
    given = Corpus(write_lines(tmp_path / "c.tsv", ["1\tThe cat sat.", "no tab here"]), skip_bad_lines=True)
    assert list(given) == list(given) == [CAT]
    assert (len(given.skipped), given.skipped_count) == (1, 1)


MANY = [f"{number}\tpassage {number}" for number in range(1, 40)]


@pytest.mark.parametrize("chunk_bytes", [0, 500, 2_000_000])
@pytest.mark.parametrize(
    ("line", "again", "told"), [(7, 5, "5: passage id '1' appeared before"), (5, 7, "5: 1 tab-separated fields")]
)
def test_the_first_fault_is_told_after_the_passages_before_it(
    tmp_path: Path, chunk_bytes: int, line: int, again: int, told: str
) -> None:
    path = write_lines(
        tmp_path / "c.tsv",
        [{line: "no tab here", again: "1\tagain"}.get(number, text) for number, text in enumerate(MANY, start=1)],
    )
    passages = iter(Corpus(path, limits=ReadLimits(chunk=chunk_bytes)))
    assert [passage.id for passage in islice(passages, 4)] == ["1", "2", "3", "4"]
    with pytest.raises(CorpusError, match=f"{path}:{told}"):
        next(passages)


@pytest.mark.parametrize("chunk_bytes", [0, 500, 1_000])
def test_numbers_of_lines_and_repeats_go_on_over_chunks(tmp_path: Path, chunk_bytes: int) -> None:
    path = write_lines(tmp_path / "c.tsv", [*MANY, "3\tagain", "no tab here", "40\tpassage 40"])
    given = Corpus(path, skip_bad_lines=True, limits=ReadLimits(chunk=chunk_bytes))
    assert [passage.id for passage in given] == [str(number) for number in range(1, 41)]
    assert given.skipped == [
        f"{path}:40: passage id '3' appeared before",
        f"{path}:41: 1 tab-separated fields, 2 (id, text) or 3 (id, text, title) are wanted",
    ]


def test_a_repeat_is_told_over_the_files_of_a_folder(tmp_path: Path) -> None:
    write_lines(tmp_path / "1.txt", ["The cat sat."])
    write_lines(tmp_path / "below/1.txt", ["The dog ran."])
    given = Corpus(tmp_path, skip_bad_lines=True)
    assert list(given) == [CAT]
    assert given.skipped == [f"{tmp_path / 'below/1.txt'}: passage id '1' appeared before"]


def test_what_comes_before_a_file_breaks_off_is_read(tmp_path: Path) -> None:
    whole = gzip.compress(b"".join(b"%d\tpassage %d\n" % (number, number * 7919) for number in range(5000)))
    passages = iter(Corpus(with_bytes(tmp_path / "c.tsv.gz", whole[: len(whole) // 2])))
    assert len(list(islice(passages, 1_000))) == 1_000
    with pytest.raises(CorpusError, match="fetch or pack it again"):
        list(passages)


@pytest.mark.parametrize("name", ["c.tsv", "c.jsonl", "1.txt"])
def test_a_line_of_100_mb_is_never_held(tmp_path: Path, name: str) -> None:
    # 100 MB against the limit of 10 MB, both made 100 times smaller
    path = with_bytes(tmp_path / name, b"2\t" + b"x" * 10_000_000)
    list(Corpus(path, skip_bad_lines=True, limits=ReadLimits(line=100_000)))  # whatever is made once
    tracemalloc.start()
    given = Corpus(path, skip_bad_lines=True, limits=ReadLimits(line=100_000))
    assert list(given) == []
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert given.skipped_count == 1
    assert peak < 500_000


def test_many_long_lines_are_held_few_at_a_time(tmp_path: Path) -> None:
    path = with_bytes(tmp_path / "c.tsv", b"".join(b"%d\t%b\n" % (number, b"x" * 500_000) for number in range(40)))
    tracemalloc.start()
    assert sum(1 for _ in Corpus(path)) == 40
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8_000_000  # chunks of 2 MB of the 20 MB, as read and as parsed


def test_many_bad_lines_are_held_few_at_a_time(tmp_path: Path) -> None:
    path = with_bytes(tmp_path / "c.tsv", b"\n" * 60_000)
    tracemalloc.start()
    given = Corpus(path, skip_bad_lines=True)
    assert list(given) == []
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert given.skipped_count == 60_000
    assert peak < 4_000_000
