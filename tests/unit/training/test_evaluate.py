"""Measures are the field's, averaged over the judged queries, as computed by hand here."""

import json
import math
from pathlib import Path

import pytest

from indexing.encoder import BiEncoder
from indexing.errors import CorpusError
from indexing.records import PassageId, Query, QueryId, Ranking
from search.pipeline import RetrieveAndRerank
from search.trec import JudgedSet, judged_sets
from tests.conftest import PASSAGES, write_lines
from tests.fakes import FixedReranker, WordOverlapReranker
from training.evaluate import (
    MEASURES,
    STAGES,
    Candidates,
    Stages,
    choose_weight,
    evaluate_run,
    rerank_candidates,
    retrieve_stages,
    stage_rows,
    table,
)

ONE, TWO = QueryId("1"), QueryId("2")


def ranking(*names: str) -> Ranking:
    """Passages in this order."""
    return Ranking.sort((PassageId(name), -float(place)) for place, name in enumerate(names))


def grades(**values: int) -> dict[PassageId, int]:
    return {PassageId(name): grade for name, grade in values.items()}


def nothing(done: int, total: int) -> None:
    """Progress that nobody watches."""


def test_ndcg_is_that_computed_by_hand() -> None:
    row = evaluate_run("", {ONE: ranking("x", "b", "a")}, {ONE: grades(a=3, b=1, c=2)})
    gained = 1 / math.log2(2 + 1) + 3 / math.log2(3 + 1)
    ideal = 3 / math.log2(1 + 1) + 2 / math.log2(2 + 1) + 1 / math.log2(3 + 1)
    assert row.values["nDCG@10"] == pytest.approx(gained / ideal, abs=1e-6)


def test_ndcg_stops_at_rank_ten() -> None:
    fillers = [f"f{number:02}" for number in range(10)]
    assert evaluate_run("", {ONE: ranking(*fillers, "a")}, {ONE: grades(a=3)}).values["nDCG@10"] == 0


def test_reciprocal_rank_is_that_of_the_first_passage_of_grade_two() -> None:
    row = evaluate_run("", {ONE: ranking("low", "x", "good", "best")}, {ONE: grades(low=1, good=2, best=3)})
    assert row.values["MRR@10"] == pytest.approx(1 / 3)


def test_recall_counts_passages_from_grade_two() -> None:
    row = evaluate_run("", {ONE: ranking("a", "low")}, {ONE: grades(a=2, low=1, lost=3)})
    assert row.values["R@100"] == pytest.approx(1 / 2)


def test_a_judged_query_that_the_run_lacks_counts_zero() -> None:
    qrels = {ONE: grades(a=2), TWO: grades(b=2)}
    row = evaluate_run("", {ONE: ranking("a")}, qrels)
    assert dict(row.values) == pytest.approx(dict.fromkeys(MEASURES, (1 + 0) / 2))
    assert row.per_query == {ONE: pytest.approx(1), TWO: 0}


def test_a_query_for_which_nothing_was_found_counts_zero() -> None:
    qrels = {ONE: grades(a=2), TWO: grades(b=2)}
    row = evaluate_run("", {ONE: ranking("a"), TWO: ranking()}, qrels)
    assert row.values["nDCG@10"] == pytest.approx((1 + 0) / 2)


def test_a_query_that_is_not_judged_does_not_count() -> None:
    row = evaluate_run("", {ONE: ranking("a"), TWO: ranking("b")}, {ONE: grades(a=2)})
    assert row.values["nDCG@10"] == pytest.approx(1)


def test_where_scores_tie_the_rankings_own_order_is_measured() -> None:
    # trec_eval alone would break the tie its own way: by id, backwards
    tied = Ranking.sort([(PassageId("a"), 1.0), (PassageId("b"), 1.0)])
    assert evaluate_run("", {ONE: tied}, {ONE: grades(a=2)}).values["MRR@10"] == 1


def test_the_interval_holds_the_mean_and_is_the_same_each_time() -> None:
    qrels = {QueryId(str(number)): grades(a=2) for number in range(20)}
    run = {query: ranking("a") if int(query) % 2 else ranking("x") for query in qrels}
    one, two = evaluate_run("", run, qrels), evaluate_run("", run, qrels)
    # 20 queries of which half score 1: deviation of the mean 0.5 / sqrt(20) = 0.112, 95 % within 1.96 of them
    assert one.interval == two.interval
    assert one.interval[0] == pytest.approx(0.5 - 0.22, abs=0.04)
    assert one.interval[1] == pytest.approx(0.5 + 0.22, abs=0.04)


def stages(first: dict[str, float], second: dict[str, float]) -> Stages:
    """One query's first stage and re-ranking."""
    before, after = (
        {ONE: Ranking.sort((PassageId(name), score) for name, score in scores.items())} for scores in (first, second)
    )
    return Stages(before, before, before, after)


def test_the_weight_chosen_is_the_one_with_the_best_figure() -> None:
    # standardised, the re-ranker says a 1.37, b -0.39, c -0.98 and the first stage b 1.07, a 0.27, c -1.34:
    # only a larger share of the re-ranker puts a first
    dev = JudgedSet("dev", (Query(ONE, "q"),), {ONE: grades(a=3)})
    given = stages({"a": 0.6, "b": 0.9, "c": 0.0}, {"a": 4.0, "b": 1.0, "c": 0.0})
    weight = choose_weight(given, dev)
    assert evaluate_run("", given.interpolated(weight), dev.qrels).values["nDCG@10"] == 1


def test_where_weights_tie_the_largest_is_chosen() -> None:
    dev = JudgedSet("dev", (Query(ONE, "q"),), {ONE: grades(a=3)})
    assert choose_weight(stages({"a": 2.0, "b": 1.0}, {"a": 2.0, "b": 1.0}), dev) == 1


def test_where_the_re_ranker_is_wrong_the_first_stage_alone_is_chosen() -> None:
    # with opposite opinions of the same strength any share below a half is as good; above, b stands first
    dev = JudgedSet("dev", (Query(ONE, "q"),), {ONE: grades(a=3)})
    assert choose_weight(stages({"a": 2.0, "b": 1.0}, {"b": 2.0, "a": 1.0}), dev) <= 0.5


def test_every_stage_of_a_search_is_kept(pipeline: RetrieveAndRerank, small_corpus: Path) -> None:
    judged = judged_sets(small_corpus)["test"]
    found = retrieve_stages(pipeline, judged.queries, depth=20, progress=nothing)
    rows = stage_rows(found, judged.qrels, weight=0.5)
    assert [row.system for row in rows] == list(STAGES)
    for run in (found.bm25, found.dense, found.fused, found.reranked):
        assert set(run) == set(judged.qrels)
    # "how does a lighthouse lens work": each of these holds one of its five terms, and ties stand by id
    assert found.reranked[QueryId("4")].passage_ids[:4] == ("b1", "b2", "b3", "b4")


@pytest.fixture
def judged_folder(tmp_path: Path) -> Path:
    """A folder in the form of a TREC DL year, with one judged query that the run lacks."""
    folder = tmp_path / "trec"
    write_lines(folder / "corpus.jsonl", [json.dumps({"id": name, "text": text}) for name, text in PASSAGES.items()])
    write_lines(folder / "queries.tsv", ["1\thow do bees make honey", "2\twhat is a moraine", "3\tnot judged"])
    write_lines(folder / "qrels.txt", ["1 0 a1 3", "1 0 a4 0", "2 0 d2 3"])
    write_lines(folder / "runs/bm25.trec", ["1 Q0 a4 1 3 x", "1 Q0 a3 2 2 x", "1 Q0 a1 3 1 x"])
    return folder


def test_candidates_are_read_with_the_texts_that_the_run_names(judged_folder: Path) -> None:
    candidates = Candidates.read(judged_folder)
    assert [query.id for query in candidates.queries] == ["1", "2"]
    assert candidates.texts == {PassageId(name): PASSAGES[name] for name in ("a1", "a3", "a4")}


def test_candidates_are_read_to_the_depth(judged_folder: Path) -> None:
    assert Candidates.read(judged_folder, depth=2).run[ONE].passage_ids == ("a4", "a3")


@pytest.mark.parametrize("name", ["corpus.jsonl", "queries.tsv", "qrels.txt", "runs/bm25.trec"])
def test_a_file_that_candidates_lack_is_named(judged_folder: Path, name: str) -> None:
    (judged_folder / name).unlink()
    with pytest.raises(CorpusError, match=name):
        Candidates.read(judged_folder)


def test_a_candidate_without_a_text_is_told(judged_folder: Path) -> None:
    write_lines(judged_folder / "runs/bm25.trec", ["1 Q0 a4 1 3 x", "1 Q0 zz 2 2 x"])
    with pytest.raises(CorpusError, match="lacks 1 passages"):
        Candidates.read(judged_folder)


def test_given_lists_are_re_ranked_as_given(judged_folder: Path, bi_encoder: BiEncoder) -> None:
    candidates = Candidates.read(judged_folder)
    only = Candidates(candidates.queries[:1], candidates.qrels, candidates.run, candidates.texts)
    logits = {PASSAGES["a1"]: 3.0, PASSAGES["a3"]: 2.0, PASSAGES["a4"]: 1.0}
    found = rerank_candidates(only, bi_encoder, FixedReranker(logits), progress=nothing)
    assert found.bm25[ONE].passage_ids == ("a4", "a3", "a1")
    assert found.reranked[ONE].passage_ids == ("a1", "a3", "a4")
    assert set(found.dense[ONE].passage_ids) == set(found.fused[ONE].passage_ids) == {"a1", "a3", "a4"}


def test_a_judged_query_that_the_given_run_lacks_counts_zero_and_stops_nothing(
    judged_folder: Path, bi_encoder: BiEncoder
) -> None:
    candidates = Candidates.read(judged_folder)  # query 2 has judgments and no list
    found = rerank_candidates(candidates, bi_encoder, WordOverlapReranker(), progress=nothing)
    assert {row.per_query[TWO] for row in stage_rows(found, candidates.qrels, weight=0.5)} == {0}


def test_the_table_has_a_line_for_each_system() -> None:
    row = evaluate_run("BM25", {ONE: ranking("a")}, {ONE: grades(a=2)})
    assert table([row]).splitlines()[2] == "| BM25 | 1.0000 | 1.0000 | 1.0000 | 1.000 to 1.000 |"
