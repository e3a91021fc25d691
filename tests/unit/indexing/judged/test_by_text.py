"""Judgments by the queries' texts get query ids, and come beside a corpus as the test split."""

from pathlib import Path

import pytest

from indexing.errors import CorpusError
from indexing.judged.by_text import id_of_text, name_queries, write_quepid
from indexing.judged.qrels import Judgments, read_judgments, read_qrels
from indexing.judged.sets import judged_sets
from indexing.records import PassageId, Query, QueryId
from tests.conftest import write_lines

RUST = Query(QueryId("q1"), "why does iron rust?")
TIN = Query(QueryId("q2"), "tin")


def judgments(**grades: int) -> Judgments:
    return Judgments({text.replace("_", " "): {PassageId("7"): grade} for text, grade in grades.items()}, by_text=True)


def test_texts_find_their_queries_up_to_case_and_punctuation() -> None:
    notes: list[str] = []
    named = name_queries(judgments(Why_does_iron_rust=3), [RUST, TIN], path=Path("q.csv"), note=notes.append)
    assert named.qrels == {"q1": {"7": 3}}
    assert named.queries == [RUST, TIN]
    assert notes == []


def test_a_text_that_no_query_has_is_judged_under_an_id_of_its_own_and_named() -> None:
    notes: list[str] = []
    named = name_queries(judgments(lead=2, q2=1), [RUST, TIN], path=Path("q.csv"), note=notes.append)
    assert named.qrels == {id_of_text("lead"): {"7": 2}, "q2": {"7": 1}}
    assert named.queries[2:] == [Query(id_of_text("Lead?"), "lead")]
    assert notes == ["q.csv: 1 judged query is not among the queries, and judged under ids made of their texts: lead."]


def test_a_text_of_two_queries_and_a_query_with_two_grades_are_refused() -> None:
    twice = [TIN, Query(QueryId("q3"), "tin")]
    with pytest.raises(CorpusError, match="which is the text of queries q2, q3"):
        name_queries(judgments(tin=1), twice, path=Path("q.csv"), note=print)
    with pytest.raises(CorpusError, match="grades 1 and 2 for passage '7' of query 'Tin', written in two ways"):
        name_queries(judgments(tin=1, Tin=2), [TIN], path=Path("q.csv"), note=print)


def test_quepids_table_beside_a_corpus_is_the_test_split(tmp_path: Path) -> None:
    write_lines(tmp_path / "qrels.test.csv", ["query,docid,rating", '"tin, mined",9,3', "rust,7,", "tin,8,0"])
    judged = judged_sets(tmp_path)["test"]
    assert [query.text for query in judged.queries] == ["tin, mined", "tin"]
    assert list(judged.qrels.values()) == [{"9": 3}, {"8": 0}]
    assert [note for note in judged.notes if "1 row without a rating is left out (line 3)" in note]


def test_judgments_by_text_are_no_qrels(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "ratings.csv", ["query,docid,rating", "tin,8,0"])
    with pytest.raises(CorpusError, match="names queries by their texts, as Quepid does; make qrels of it first"):
        read_qrels(path)


def test_what_is_written_for_quepid_reads_back(tmp_path: Path) -> None:
    queries = [Query(QueryId("1"), 'say "hi", then;\tgo'), TIN]
    qrels = {QueryId("1"): {PassageId("a b"): 2}, QueryId("q2"): {PassageId("7"): 0, PassageId("8"): 1}}
    assert write_quepid(tmp_path / "out.csv", queries, qrels) == 3
    read = read_judgments(tmp_path / "out.csv")
    assert read.by_text
    assert read.grades == {'say "hi", then; go': {"a b": 2}, "tin": {"7": 0, "8": 1}}
