"""Queries and qrels are read in the forms that the field uses, and a collection's splits are found."""

from pathlib import Path

import pytest

from indexing.errors import CorpusError
from indexing.judged.qrels import default_minimum_grade, read_qrels
from indexing.judged.queries import read_queries
from indexing.judged.sets import judged_sets
from indexing.records import PassageId, Query, QueryId
from tests.conftest import QRELS, QUERIES, write_lines

Q1 = Query(QueryId("1"), "where is the cat")


def test_queries_are_read_from_tsv(tmp_path: Path) -> None:
    assert read_queries(write_lines(tmp_path / "q.tsv", ["1\twhere is the cat"])) == [Q1]


@pytest.mark.parametrize("field", ["_id", "id"])
def test_queries_are_read_from_json_lines(tmp_path: Path, field: str) -> None:
    path = write_lines(tmp_path / "q.jsonl", [f'{{"{field}": "1", "text": "where is the cat", "metadata": {{}}}}'])
    assert read_queries(path) == [Q1]


def test_byte_order_mark_crlf_and_empty_lines_are_no_part_of_queries(tmp_path: Path) -> None:
    (tmp_path / "q.tsv").write_bytes(b"\xef\xbb\xbf1\twhere is the cat\r\n\r\n")
    assert read_queries(tmp_path / "q.tsv") == [Q1]


@pytest.mark.parametrize("character", ["\u2028", "\x85", "\x0b", "\x1c"])
def test_only_a_line_feed_ends_a_line(tmp_path: Path, character: str) -> None:
    path = write_lines(tmp_path / "q.tsv", [f"1\twhere is{character}the cat", "2\tand the dog"])
    assert [query.id for query in read_queries(path)] == ["1", "2"]


@pytest.mark.parametrize("line", ["no tab", "\ttext", "2\t ", "2"])
def test_a_query_line_that_cannot_be_read_is_named(tmp_path: Path, line: str) -> None:
    path = write_lines(tmp_path / "q.tsv", ["1\twhere is the cat", line])
    with pytest.raises(CorpusError, match=f"{path}:2: "):
        read_queries(path)


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        '"text"',
        '{"_id": "2"}',
        '{"text": "no id"}',
        '{"_id": "2", "text": ""}',
        '{"_id": "2", "text": null}',
    ],
)
def test_a_json_line_that_holds_no_query_is_named(tmp_path: Path, line: str) -> None:
    path = write_lines(tmp_path / "q.jsonl", ['{"_id": "1", "text": "where is the cat"}', line])
    with pytest.raises(CorpusError, match=f"{path}:2: "):
        read_queries(path)


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CorpusError) as caught:
        read_queries(tmp_path / "nowhere.tsv")
    assert str(caught.value) == f"{tmp_path}/nowhere.tsv doesn't exist; give a file that does."


def test_a_file_that_is_no_utf8_is_named(tmp_path: Path) -> None:
    (tmp_path / "q.tsv").write_bytes(b"1\tcaf\xe9\n")
    with pytest.raises(CorpusError, match=str(tmp_path / "q.tsv")):
        read_queries(tmp_path / "q.tsv")


@pytest.mark.parametrize(
    "lines",
    [
        ["1 0 a 3", "1 0 b 0", "2 0 a 1"],
        ["1\t0\ta\t3", "1\t0\tb\t0", "2\t0\ta\t1"],
        ["1 Q0 a 3", "1 Q0 b 0", "2 Q0 a 1"],
        ["query-id\tcorpus-id\tscore", "1\ta\t3", "1\tb\t0", "2\ta\t1"],
    ],
    ids=["TREC", "MS MARCO", "Q0", "BEIR"],
)
def test_qrels_are_read(tmp_path: Path, lines: list[str]) -> None:
    assert read_qrels(write_lines(tmp_path / "qrels.txt", lines)) == {"1": {"a": 3, "b": 0}, "2": {"a": 1}}


def test_a_grade_below_zero_is_read(tmp_path: Path) -> None:
    assert read_qrels(write_lines(tmp_path / "qrels.txt", ["1 0 a -2"])) == {"1": {"a": -2}}


@pytest.mark.parametrize("line", ["1 0 b", "1 0 b high", "1 b", "1 0 b 1.5", "1\tb\thigh", "1\tb\t1.0"])
def test_a_line_of_qrels_that_cannot_be_read_is_named(tmp_path: Path, line: str) -> None:
    path = write_lines(tmp_path / "qrels.txt", ["1 0 a 3", line])
    with pytest.raises(CorpusError, match=f"{path}:2: "):
        read_qrels(path)


def test_the_splits_beside_a_collection_are_found(small_corpus: Path) -> None:
    sets = judged_sets(small_corpus)
    assert {name: {query.id: query.text for query in split.queries} for name, split in sets.items()} == QUERIES
    assert {name: split.qrels for name, split in sets.items()} == QRELS


def test_the_splits_beside_a_collection_are_found_from_its_file(small_corpus: Path) -> None:
    assert set(judged_sets(small_corpus / "collection.tsv")) == {"train", "dev", "test"}


def beir_folder(folder: Path, *splits: str) -> Path:
    """BEIR's layout, with one judged query in each split."""
    write_lines(folder / "corpus.jsonl", ['{"_id": "a", "title": "", "text": "The cat sat."}'])
    queries = [f'{{"_id": "{number}", "text": "query of {split}"}}' for number, split in enumerate(splits)]
    write_lines(folder / "queries.jsonl", [*queries, '{"_id": "99", "text": "not judged"}'])
    for number, split in enumerate(splits):
        write_lines(folder / f"qrels/{split}.tsv", ["query-id\tcorpus-id\tscore", f"{number}\ta\t{number + 1}"])
    return folder


@pytest.mark.parametrize("dev", ["dev", "validation"])
def test_beirs_layout_is_found(tmp_path: Path, dev: str) -> None:
    sets = judged_sets(beir_folder(tmp_path, "train", dev, "test"))
    assert {split: [query.text for query in judged.queries] for split, judged in sets.items()} == {
        "train": ["query of train"],
        "dev": [f"query of {dev}"],
        "test": ["query of test"],
    }
    assert [judged.qrels for judged in sets.values()] == [{"0": {"a": 1}}, {"1": {"a": 2}}, {"2": {"a": 3}}]
    assert [judged.split for judged in sets.values()] == ["train", "dev", "test"]


def test_a_beir_folder_has_the_splits_that_are_judged(tmp_path: Path) -> None:
    assert list(judged_sets(beir_folder(tmp_path, "test"))) == ["test"]


def test_beirs_layout_is_found_from_its_file(tmp_path: Path) -> None:
    assert list(judged_sets(beir_folder(tmp_path, "test") / "corpus.jsonl")) == ["test"]


def test_ms_marcos_dev_may_be_called_validation(tmp_path: Path) -> None:
    write_lines(tmp_path / "queries.validation.tsv", ["1\twhere is the cat"])
    write_lines(tmp_path / "qrels.validation.tsv", ["1 0 a 1"])
    assert judged_sets(tmp_path)["dev"].queries == (Q1,)


def test_where_dev_and_validation_both_are_there_dev_is_read(tmp_path: Path) -> None:
    write_lines(tmp_path / "queries.tsv", ["1\twhere is the cat"])
    write_lines(tmp_path / "qrels.dev.tsv", ["1 0 a 1"])
    write_lines(tmp_path / "qrels.validation.tsv", ["1 0 a 2"])
    assert judged_sets(tmp_path)["dev"].qrels == {"1": {"a": 1}}


def test_qrels_without_a_split_are_the_test_split(tmp_path: Path) -> None:
    write_lines(tmp_path / "queries.tsv", ["1\twhere is the cat"])
    write_lines(tmp_path / "qrels.txt", ["1 0 a 1"])
    assert list(judged_sets(tmp_path)) == ["test"]


def test_a_collection_without_judgments_has_no_splits(tmp_path: Path) -> None:
    write_lines(tmp_path / "queries.tsv", ["1\twhere is the cat"])
    assert judged_sets(tmp_path) == {}


@pytest.mark.parametrize(("text", "found"), [("  Where is  THE cat ", "1"), ("where is a cat", None)])
def test_a_judged_query_is_found_by_its_text(tmp_path: Path, text: str, found: str | None) -> None:
    write_lines(tmp_path / "queries.tsv", ["1\twhere is the cat"])
    write_lines(tmp_path / "qrels.txt", ["1 0 a 1"])
    query = judged_sets(tmp_path)["test"].find(text)
    assert (query.id if query else None) == found


@pytest.mark.parametrize(("grades", "expected"), [({"p": 1, "q": 0}, 1), ({"p": 1, "q": 2}, 2), ({"p": 3}, 2), ({}, 1)])
def test_the_default_minimum_grade_is_2_where_there_are_grades_above_1(grades: dict[str, int], expected: int) -> None:
    qrels = {QueryId("a"): {PassageId("x"): 1}, QueryId("b"): {PassageId(key): grade for key, grade in grades.items()}}
    assert default_minimum_grade(qrels) == expected
