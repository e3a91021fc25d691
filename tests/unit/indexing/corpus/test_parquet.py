"""Parquet is read row by row, its columns are checked first, and what can't be read is named by its row."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from indexing.corpus.corpus import Corpus
from indexing.corpus.fields import ID_FIELDS, TEXT_FIELDS, Fields
from indexing.corpus.limits import ReadLimits
from indexing.corpus.parquet import parquet_chunks
from indexing.errors import CorpusError
from indexing.records import Passage, PassageId

CAT = Passage(PassageId("1"), "The cat sat.")
DOG = Passage(PassageId("2"), "The dog ran.")


def parquet(path: Path, **columns: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path)
    return path


def two(path: Path) -> Path:
    return parquet(path, id=["1", "2"], text=["The cat sat.", "The dog ran."])


@pytest.mark.parametrize("id_field", ID_FIELDS)
@pytest.mark.parametrize("text_field", TEXT_FIELDS)
def test_columns_may_be_named_as_known_collections_do(tmp_path: Path, id_field: str, text_field: str) -> None:
    path = parquet(tmp_path / "c.parquet", **{id_field: ["1"], text_field: ["The  cat\nsat."], "url": ["x"]})
    assert list(Corpus(path)) == [CAT]


def test_a_title_is_read_and_may_be_null(tmp_path: Path) -> None:
    path = parquet(tmp_path / "c.parquet", id=["1", "2"], title=["A cat", None], text=["It sat.", "The dog ran."])
    assert list(Corpus(path)) == [Passage(PassageId("1"), "It sat.", "A cat"), DOG]
    path = parquet(tmp_path / "c.parquet", id=["1"], title=pa.nulls(1), text=["The cat sat."])
    assert list(Corpus(path)) == [CAT]


def test_a_part_without_rows_need_not_know_what_its_columns_hold(tmp_path: Path) -> None:
    parquet(tmp_path / "0.parquet", id=pa.nulls(0), text=pa.nulls(0))
    two(tmp_path / "1.parquet")
    assert list(Corpus(tmp_path)) == [CAT, DOG]
    with pytest.raises(CorpusError, match="column 'text' holds null, not text"):
        list(Corpus(parquet(tmp_path / "2.parquet", id=["1"], text=pa.nulls(1))))


@pytest.mark.parametrize("kind", [pa.int32(), pa.int64(), pa.uint8(), pa.large_string(), pa.binary()])
def test_ids_may_be_whole_numbers_and_any_kind_of_text(tmp_path: Path, kind: pa.DataType) -> None:
    given = [b"1", b"2"] if kind == pa.binary() else ["1", "2"]
    ids = pa.array([int(key) for key in given] if pa.types.is_integer(kind) else given, kind)
    path = parquet(tmp_path / "c.parquet", id=ids, text=["The cat sat.", "The dog ran."])
    assert list(Corpus(path)) == [CAT, DOG]


def test_texts_may_be_a_dictionary(tmp_path: Path) -> None:
    texts = pa.array(["The cat sat.", "The dog ran."]).dictionary_encode()
    assert list(Corpus(parquet(tmp_path / "c.parquet", id=["1", "2"], text=texts))) == [CAT, DOG]


def test_a_folder_of_parquet_is_read_in_order_of_names(tmp_path: Path) -> None:
    parquet(tmp_path / "part-1.parquet", id=["2"], text=["The dog ran."])
    parquet(tmp_path / "part-0.parquet", id=["1"], text=["The cat sat."])
    parquet(tmp_path / "queries.parquet", id=["9"], text=["not a passage"])
    assert list(Corpus(tmp_path)) == [CAT, DOG]


def test_a_data_set_of_the_hub_is_read_from_its_folder_corpus(tmp_path: Path) -> None:
    two(tmp_path / "corpus/train-00000-of-00001.parquet")
    parquet(tmp_path / "queries/train-00000-of-00001.parquet", _id=["9"], text=["not a passage"])
    assert list(Corpus(tmp_path)) == [CAT, DOG]


def test_a_repeat_over_two_files_is_named_with_file_and_row(tmp_path: Path) -> None:
    two(tmp_path / "a.parquet")
    parquet(tmp_path / "b.parquet", id=["3", "1"], text=["x", "again"])
    with pytest.raises(CorpusError, match=f"{tmp_path / 'b.parquet'}:row 2: passage id '1' appeared before"):
        list(Corpus(tmp_path))


@pytest.mark.parametrize("rows", [1, 2, 100])
def test_rows_are_counted_from_1_over_all_batches(tmp_path: Path, rows: int) -> None:
    path = parquet(
        tmp_path / "c.parquet", id=["1", None, "2", "2", "5"], text=["The cat sat.", "x", "", "The dog ran.", None]
    )
    given = Corpus(path, skip_bad_lines=True, limits=ReadLimits(batch_rows=rows))
    assert list(given) == [CAT, DOG]
    assert given.skipped == [
        f"{path}:row 2: field 'id' holds null where an id is expected",
        f"{path}:row 3: passage '2' has no text",
        f"{path}:row 5: field 'text' holds null where text is expected",
    ]


def test_a_bad_row_stops_with_what_to_do(tmp_path: Path) -> None:
    path = parquet(tmp_path / "c.parquet", id=["1", "2"], text=["The cat sat.", "nul \0 here"])
    with pytest.raises(CorpusError, match=f"{path}:row 2: a value holds a NUL.*--on-bad-line skip"):
        list(Corpus(path))


def test_a_value_that_is_no_utf8_is_a_bad_row(tmp_path: Path) -> None:
    broken = pa.array([b"The cat sat.", b"caf\xe9", b"The dog ran."]).view(pa.string())  # not checked by Arrow
    path = parquet(tmp_path / "c.parquet", id=["1", "x", "2"], text=broken)
    given = Corpus(path, skip_bad_lines=True)
    assert list(given) == [CAT, DOG]
    assert given.skipped == [f"{path}:row 2: byte 4 of a value is no UTF-8"]


def test_a_row_over_the_limit_is_a_bad_row(tmp_path: Path) -> None:
    path = parquet(tmp_path / "c.parquet", id=["1", "2"], text=["The cat sat.", "The dog ran on."])
    given = Corpus(path, skip_bad_lines=True, limits=ReadLimits(line=len("1The cat sat.")))
    assert list(given) == [CAT]
    assert given.skipped == [f"{path}:row 2: the row is longer than 13 characters"]


def columns_fault(path: Path, **names: str) -> str:
    with pytest.raises(CorpusError) as caught:
        list(Corpus(path, skip_bad_lines=True, fields=Fields(**names)))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_columns_without_id_or_text_are_told_once_for_the_file(tmp_path: Path) -> None:
    path = parquet(tmp_path / "c.parquet", number=[1, 2], text=["a", "b"])
    told = columns_fault(path)
    assert told.startswith(f"{path}: fields 'number', 'text' hold no id (")
    assert "--id-field" in told


def test_a_given_column_that_is_absent_is_named_with_those_there(tmp_path: Path) -> None:
    assert "there is no field 'pid', only 'id', 'text'" in columns_fault(two(tmp_path / "c.parquet"), id="pid")


def test_given_columns_are_read(tmp_path: Path) -> None:
    path = parquet(tmp_path / "c.parquet", id=["x"], key=[1], text=["no"], words=["The cat sat."], title=["no"])
    assert list(Corpus(path, fields=Fields(id="key", text="words", title=""))) == [CAT]


@pytest.mark.parametrize(
    ("column", "values", "told"),
    [
        ("id", [{"a": 1}], "column 'id' holds struct<a: int64>, not text; name another with --id-field"),
        ("id", [True], "column 'id' holds bool"),
        ("id", [None], "column 'id' holds null"),
        ("text", [["a"]], "column 'text' holds list<"),
        ("text", [1], "column 'text' holds int64, not text; name another with --text-field"),
        ("title", [["a"]], "column 'title' holds list<"),
    ],
)
def test_a_column_of_another_kind_is_told_before_any_row(
    tmp_path: Path, column: str, values: list[object], told: str
) -> None:
    path = parquet(tmp_path / "c.parquet", **({"id": ["1"], "text": ["The cat sat."]} | {column: values}))
    assert told in columns_fault(path)


def test_a_column_that_is_there_twice_is_told(tmp_path: Path) -> None:
    table = pa.Table.from_arrays([pa.array(["1"]), pa.array(["a"]), pa.array(["b"])], names=["id", "text", "text"])
    pq.write_table(table, tmp_path / "c.parquet")
    assert "column 'text' holds string, string" in columns_fault(tmp_path / "c.parquet")


@pytest.mark.parametrize("cut", [0, 10, -20])
def test_a_file_that_is_no_parquet_or_cut_off_is_named(tmp_path: Path, cut: int) -> None:
    path = two(tmp_path / "c.parquet")
    path.write_bytes(path.read_bytes()[:cut])
    assert columns_fault(path).startswith(f"{path} can't be read (")


def test_a_file_of_no_rows_holds_no_passages(tmp_path: Path) -> None:
    path = parquet(tmp_path / "c.parquet", id=pa.array([], pa.string()), text=pa.array([], pa.string()))
    assert list(Corpus(path)) == []


def test_long_rows_come_in_small_batches(tmp_path: Path) -> None:
    path = tmp_path / "c.parquet"
    text = pa.array([f"{number} " + "x" * 1_000 for number in range(100)])
    pq.write_table(pa.table({"id": pa.array(range(100)), "text": text}), path, compression="none", use_dictionary=False)
    sizes = [len(chunk.parsed) for chunk in parquet_chunks(path, Fields(), limits=ReadLimits(batch_bytes=4_000))]
    assert sum(sizes) == 100
    assert max(sizes) == 3  # of about 1,010 bytes in 4,000
