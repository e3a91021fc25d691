"""Queries, qrels and runs are read in every form that the field uses, and written so that they read back the same."""

from pathlib import Path

import numpy as np
import pytest

from indexing.errors import CorpusError
from indexing.records import PassageId, Query, QueryId, Ranking
from search.trec import judged_sets, read_qrels, read_queries, read_run, write_run
from tests.conftest import QRELS, QUERIES, write_lines

Q1 = Query(QueryId("1"), "where is the cat")


def ranking(**scores: float) -> Ranking:
    return Ranking.sort((PassageId(name), score) for name, score in scores.items())


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
    with pytest.raises(CorpusError, match=str(tmp_path / "nowhere.tsv")):
        read_queries(tmp_path / "nowhere.tsv")


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


def test_a_trec_run_is_read_by_score(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "run.trec", ["1 Q0 a 2 0.5 tag", "1 Q0 b 1 0.75 tag", "2 Q0 a 1 3 tag"])
    assert read_run(path) == {"1": ranking(b=0.75, a=0.5), "2": ranking(a=3)}


def test_ties_of_a_run_stand_in_order_of_their_ids(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "run.trec", ["1 Q0 b 1 0.5 tag", "1 Q0 a 2 0.5 tag"])
    assert read_run(path)[QueryId("1")].passage_ids == ("a", "b")


def test_an_ms_marco_run_is_read_by_rank(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "run.tsv", ["1\ta\t2", "1\tb\t1", "1\tc\t1000"])
    assert read_run(path) == {"1": ranking(b=1, a=1 / 2, c=1 / 1000)}


@pytest.mark.parametrize("line", ["1 Q0 b", "1 Q0 b 1", "1 Q0 b 1 high tag", "1\tb\t0", "1\tb\tfirst"])
def test_a_line_of_a_run_that_cannot_be_read_is_named(tmp_path: Path, line: str) -> None:
    path = write_lines(tmp_path / "run.trec", ["1 Q0 a 1 3 tag", line])
    with pytest.raises(CorpusError, match=f"{path}:2: "):
        read_run(path)


@pytest.mark.parametrize("lines", [["1 Q0 a 1 3 t", "1 Q0 a 2 2 t"], ["1 Q0 a 1 nan t"]], ids=["twice", "nan"])
def test_a_run_that_is_no_ranking_is_named(tmp_path: Path, lines: list[str]) -> None:
    path = write_lines(tmp_path / "run.trec", lines)
    with pytest.raises(CorpusError, match=str(path)):
        read_run(path)


def test_a_run_is_written_in_trecs_six_fields(tmp_path: Path) -> None:
    write_run(tmp_path / "run.trec", {QueryId("1"): ranking(a=0.25, b=0.5)}, tag="mine")
    assert (tmp_path / "run.trec").read_text() == "1 Q0 b 1 0.5 mine\n1 Q0 a 2 0.25 mine\n"


def test_a_run_reads_back_as_it_was_written(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    run = {
        QueryId(str(query)): Ranking.sort((PassageId(str(row)), score) for row, score in enumerate(rng.normal(size=50)))
        for query in range(5)
    }
    write_run(tmp_path / "run.trec", run, tag="t")
    assert read_run(tmp_path / "run.trec") == run


def test_neighbouring_scores_do_not_become_a_tie_in_the_file(tmp_path: Path) -> None:
    # the smallest step of float32, as reciprocal ranks come close to: with 7 digits both read 0.01639344
    low = np.float32(1 / 61)
    high = np.nextafter(low, np.float32(1))
    run = {QueryId("1"): ranking(z=float(high), a=float(low))}
    write_run(tmp_path / "run.trec", run, tag="t")
    assert read_run(tmp_path / "run.trec") == run


def test_an_id_with_a_space_is_not_written_as_two_fields(tmp_path: Path) -> None:
    # ids of a folder of text files are file names; either it reads back, or it isn't written
    run = {QueryId("1"): Ranking.sort([(PassageId("my notes"), 1.0)])}
    try:
        write_run(tmp_path / "run.trec", run, tag="t")
    except CorpusError as error:
        assert "my notes" in str(error)  # noqa: PT017  # either of two outcomes is right
        return
    assert read_run(tmp_path / "run.trec") == run


def test_the_splits_beside_a_collection_are_found(small_corpus: Path) -> None:
    sets = judged_sets(small_corpus)
    assert {name: {query.id: query.text for query in split.queries} for name, split in sets.items()} == QUERIES
    assert {name: split.qrels for name, split in sets.items()} == QRELS


def test_the_splits_beside_a_collection_are_found_from_its_file(small_corpus: Path) -> None:
    assert set(judged_sets(small_corpus / "collection.tsv")) == {"train", "dev", "test"}


def test_beirs_layout_is_found(tmp_path: Path) -> None:
    write_lines(tmp_path / "queries.jsonl", ['{"_id": "1", "text": "where is the cat"}', '{"_id": "2", "text": "x"}'])
    write_lines(tmp_path / "qrels/test.tsv", ["query-id\tcorpus-id\tscore", "1\ta\t1"])
    assert judged_sets(tmp_path)["test"].queries == (Q1,)


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
