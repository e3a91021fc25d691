"""A query that is protected by its id or its text is never mined."""

from pathlib import Path

from indexing.judged import JudgedSet
from indexing.records import PassageId, Query, QueryId
from tests.conftest import QUERIES, write_lines
from training.protection import Protection


def query(key: str, text: str) -> Query:
    return Query(QueryId(key), text)


def test_a_query_is_known_by_its_id_or_by_its_text() -> None:
    protection = Protection(frozenset({QueryId("7")}), frozenset({"how do bees make honey"}))
    assert protection.covers(query("7", "anything"))
    assert protection.covers(query("8", " How do BEES make  honey?"))
    assert not protection.covers(query("8", "how do wasps make paper"))


def test_nothing_is_protected_unless_said() -> None:
    assert not Protection().covers(query("1", ""))


def test_files_protect_by_id_and_text(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "queries.tsv", ["7\tHow do bees make honey?"])
    assert Protection.read([path]) == Protection(frozenset({QueryId("7")}), frozenset({"how do bees make honey"}))


def test_collections_protect_the_texts_of_their_other_splits(small_corpus: Path) -> None:
    protection = Protection.read([], [small_corpus])
    assert protection.texts == {*QUERIES["dev"].values(), *QUERIES["test"].values()}
    assert protection.ids == frozenset()


def test_a_judged_set_loses_its_protected_queries() -> None:
    queries = (query("1", "one"), query("2", "two"), query("3", "three"))
    qrels = {entry.id: {PassageId("a"): 1} for entry in queries}
    left = Protection(frozenset({QueryId("1")}), frozenset({"two"})).without(JudgedSet("train", queries, qrels))
    assert left == JudgedSet("train", queries[2:], {QueryId("3"): {PassageId("a"): 1}})
