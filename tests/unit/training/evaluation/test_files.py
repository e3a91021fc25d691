"""What is written can be read by others and gives them the same figures."""

from pathlib import Path

import ir_measures
import pytest
from ir_measures import AP, R, nDCG

from indexing.errors import CorpusError
from indexing.judged.qrels import read_qrels
from indexing.records import PassageId, Query, QueryId
from search.trec import read_run
from tests.support.judged_lists import ONE, TWO, grades, ranking, scored
from training.evaluation.attribution import attribute
from training.evaluation.comparison import compare_runs
from training.evaluation.files import file_names, trec_eval_command, write_qrels, write_queries, write_trec
from training.evaluation.measures import measure_run

QRELS = {ONE: grades(a=3, b=1, x=0), TWO: grades(c=2)}
OLD = {ONE: scored(x=1.0, a=1.0, b=1.0), TWO: scored(y=0.0, c=0.0, w=-1.0)}  # ties everywhere
NEW = {ONE: ranking("a", "b", "x"), TWO: ranking("y", "c"), QueryId("9"): ranking("a")}


def rows(path: Path) -> list[dict[str, str]]:
    head, *lines = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()]
    return [dict(zip(head, line, strict=True)) for line in lines]


def test_each_query_has_a_line_with_values_differences_and_outcomes(tmp_path: Path) -> None:
    found = compare_runs({"old": OLD, "new": NEW}, QRELS, baseline="old", minimum_grade=2, measure="MRR@10")
    write_queries(tmp_path / "queries.tsv", found, [Query(ONE, "what\tis  a"), Query(TWO, "c?")])
    one, two = rows(tmp_path / "queries.tsv")
    # old: a b x by id, so a is first; y before c? ties stand by id: c y, c first. new: a first; c second
    assert one == {
        "query": "1",
        "text": "what is a",
        "old": "1.000000",
        "new": "1.000000",
        "new less old": "+0.000000",
        "new: outcome": "tie",
    }
    assert (two["old"], two["new"], two["new less old"]) == ("1.000000", "0.500000", "-0.500000")
    assert two["new: outcome"] == "loss"


def test_with_an_attribution_each_query_says_what_it_lost_to_what(tmp_path: Path) -> None:
    found = compare_runs({"new": NEW}, QRELS, baseline="new", minimum_grade=2, measure="MRR@10")
    lost = attribute({TWO: NEW[TWO]}, {TWO: NEW[TWO]}, QRELS, measure="MRR@10", minimum_grade=2)
    write_queries(tmp_path / "queries.tsv", found, [], attribution=lost)
    one, two = rows(tmp_path / "queries.tsv")
    assert (one["lost to recall"], one["lost to ranking"], one["bound by"]) == ("1.000000", "0.000000", "recall")
    assert (two["lost to recall"], two["lost to ranking"], two["bound by"]) == ("0.000000", "0.500000", "ranking")
    assert two["text"] == ""


def test_qrels_that_are_written_and_read_again_are_the_same(tmp_path: Path) -> None:
    write_qrels(tmp_path / "qrels.txt", QRELS)
    assert read_qrels(tmp_path / "qrels.txt") == QRELS
    assert (tmp_path / "qrels.txt").read_text().splitlines()[0] == "1 0 a 3"


def test_an_id_with_white_space_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        CorpusError, match=r"Id 'a b' contains white space, which TREC qrels can't hold; rename it in the corpus\."
    ):
        write_qrels(tmp_path / "qrels.txt", {ONE: {PassageId("a b"): 1}})


def test_trec_eval_measures_the_files_as_we_measured_the_runs(tmp_path: Path) -> None:
    paths = write_trec(tmp_path, {"the old one": OLD, "new": NEW}, QRELS)
    assert paths == {"the old one": tmp_path / "runs/the-old-one.trec", "new": tmp_path / "runs/new.trec"}
    named = {"nDCG@10": nDCG @ 10, "MAP": AP(rel=2), "R@10": R(rel=2) @ 10}
    judged = list(ir_measures.read_trec_qrels(str(tmp_path / "qrels.txt")))  # type: ignore[no-untyped-call]  # theirs
    for system, run in (("the old one", OLD), ("new", NEW)):
        read = list(ir_measures.read_trec_run(str(paths[system])))  # type: ignore[no-untyped-call]  # theirs
        theirs = ir_measures.calc_aggregate(list(named.values()), judged, read)
        ours = measure_run(run, QRELS, minimum_grade=2, names=list(named)).means
        assert {name: theirs[measure] for name, measure in named.items()} == pytest.approx(ours)


def test_only_judged_queries_are_written(tmp_path: Path) -> None:
    paths = write_trec(tmp_path, {"new": NEW}, QRELS)
    assert set(read_run(paths["new"])) == {ONE, TWO}


def test_files_have_plain_names_that_differ() -> None:
    names = ["fused (RRF)", "BM25's top", "bm25s top", "../etc", "é"]
    assert file_names(names) == ["fused-rrf", "bm25s-top", "bm25s-top-2", "etc", "run"]


def test_the_command_for_trec_eval_has_our_minimum_grade() -> None:
    assert "trec_eval -c -l 3 " in trec_eval_command(minimum_grade=3)
