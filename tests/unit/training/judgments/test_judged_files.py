"""Two files make a judged set of what both know, and what only one knows is counted."""

from collections import Counter
from pathlib import Path

import pytest

from indexing.errors import CorpusError, SettingsError
from indexing.index import Index
from indexing.judged.sets import JudgedSet
from indexing.records import PassageId, Query, QueryId
from tests.conftest import write_lines
from training.judgments.judged_set import count_absent, judged_files


def test_queries_with_judgments_make_a_set(tmp_path: Path) -> None:
    queries = write_lines(tmp_path / "asked.tsv", ["7\twhat is wax", "8\tnobody judged this", "9\tnor this"])
    qrels = write_lines(tmp_path / "any.txt", ["7 0 a1 2", "7 0 a4 0", "5 0 a1 1"])
    reasons: Counter[str] = Counter()
    judged = judged_files(queries, qrels, on_skip=lambda why: reasons.update([why]))
    assert (judged.split, judged.queries) == ("asked.tsv", (Query(QueryId("7"), "what is wax"),))
    assert judged.qrels[QueryId("7")] == {"a1": 2, "a4": 0}
    assert reasons == {"query without judgments": 2, "query without a text": 1}


def test_the_forms_of_ms_marco_and_beir_are_read(tmp_path: Path) -> None:
    queries = write_lines(tmp_path / "queries.jsonl", ['{"_id": "7", "text": "what is wax"}'])
    for lines in (["7\t0\ta1\t1"], ["query-id\tcorpus-id\tscore", "7\ta1\t1"]):
        judged = judged_files(queries, write_lines(tmp_path / "qrels.tsv", lines))
        assert judged.qrels == {"7": {"a1": 1}}


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    existing = write_lines(tmp_path / "there.tsv", ["7\tx"])
    with pytest.raises(SettingsError, match=r"^The queries file \S*gone doesn't exist; give one that does\.$"):
        judged_files(tmp_path / "gone", existing)
    with pytest.raises(SettingsError, match=r"^The qrels file \S*gone doesn't exist; give one that does\.$"):
        judged_files(existing, tmp_path / "gone")


def test_files_that_share_no_query_are_refused(tmp_path: Path) -> None:
    queries = write_lines(tmp_path / "queries.tsv", ["7\tx", "8\ty"])
    qrels = write_lines(tmp_path / "qrels.tsv", ["1 0 a1 1"])
    with pytest.raises(SettingsError) as refused:
        judged_files(queries, qrels)
    assert str(refused.value) == (
        f"None of the 2 queries in {queries} ('7', '8') is among the 1 with judgments in {qrels} ('1'); give files "
        "with the same ids."
    )


def test_a_line_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    queries = write_lines(tmp_path / "queries.tsv", ["7\tx"])
    with pytest.raises(CorpusError, match=r"qrels\.tsv:2"):
        judged_files(queries, write_lines(tmp_path / "qrels.tsv", ["7 0 a1 1", "7 0 a1 yes"]))


def test_judged_passages_that_an_index_lacks_are_counted_for_the_queries_of_the_set(small_index: Index) -> None:
    grades = {PassageId("a1"): 1, PassageId("gone"): 1, PassageId("lost"): 0}
    queries = (Query(QueryId("7"), "x"), Query(QueryId("8"), "y"))
    qrels = {QueryId("7"): grades, QueryId("8"): {PassageId("gone"): 1}, QueryId("9"): grades}
    assert count_absent(JudgedSet("any", queries, qrels), small_index) == 2 + 1
