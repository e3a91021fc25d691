"""Every stage's run is kept as it was retrieved and re-ranked, and a weight is chosen by figures."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from indexing.dense.encoder import BiEncoder
from indexing.errors import CorpusError
from indexing.judged.sets import judged_sets
from indexing.records import PassageId, QueryId, Ranking
from search.pipeline import RetrieveAndRerank
from search.rerank.late_interaction import LateInteractionReranker
from search.rerank.reranker import Scores
from search.settings import FirstScore, PipelineSettings
from tests.conftest import PASSAGES, write_lines
from tests.support.fakes import FixedReranker, WordOverlapReranker
from tests.support.judged_lists import ONE, TWO, grades
from training.evaluation.candidates import Candidates
from training.evaluation.measures import measure_run
from training.evaluation.stages import STAGES, Stages, choose_shares, rerank_candidates, retrieve_stages

HALVES = {"fused": 0.5, "dense": 0.5, "late": 0.5}


def stages(first: dict[str, float], second: dict[str, float], near: dict[str, float] | None = None) -> Stages:
    """One query's first stage, re-ranking and cosines; without these, the first stage's scores."""
    before, after, cosine = (
        {ONE: Ranking.sort((PassageId(name), score) for name, score in scores.items())}
        for scores in (first, second, near or first)
    )
    return Stages(bm25=before, dense=before, fused=before, reranked=after, cosine=cosine)


def test_the_weight_chosen_is_the_one_with_the_best_figure() -> None:
    # standardized, the re-ranker says a 1.37, b -0.39, c -0.98 and the first stage b 1.07, a 0.27, c -1.34:
    # only a larger share of the re-ranker puts a first
    judged = {ONE: grades(a=3)}
    stage_runs = stages({"a": 0.6, "b": 0.9, "c": 0.0}, {"a": 4.0, "b": 1.0, "c": 0.0})
    shares = choose_shares(stage_runs, judged)
    assert stage_runs.by_name(shares=shares)["re-ranked + first stage"][ONE].passage_ids[0] == "a"
    assert stage_runs.mixed("fused", 0.5)[ONE].passage_ids[0] == "a"
    assert stage_runs.mixed("fused", 0.2)[ONE].passage_ids[0] == "b"


def test_each_mixture_has_a_share_of_its_own() -> None:
    # the first stage says as the re-ranker, so any share will do; the cosines are right and the re-ranker is wrong
    judged = {ONE: grades(a=3)}
    stage_runs = stages({"b": 2.0, "a": 1.0}, {"b": 2.0, "a": 1.0}, {"a": 0.9, "b": 0.1})
    shares = choose_shares(stage_runs, judged)
    assert shares["fused"] == 1
    assert shares["dense"] <= 0.5
    assert stage_runs.by_name(shares=shares)["re-ranked + dense"][ONE].passage_ids[0] == "a"


def test_where_weights_tie_the_largest_is_chosen() -> None:
    judged = {ONE: grades(a=3)}
    assert choose_shares(stages({"a": 2.0, "b": 1.0}, {"a": 2.0, "b": 1.0}), judged) == {"fused": 1, "dense": 1}


def test_where_the_re_ranker_is_wrong_the_first_stage_alone_is_chosen() -> None:
    # with opposite opinions of the same strength any share below a half is as good; above, b stands first
    judged = {ONE: grades(a=3)}
    assert max(choose_shares(stages({"a": 2.0, "b": 1.0}, {"b": 2.0, "a": 1.0}), judged).values()) <= 0.5


def test_every_stage_of_a_search_is_kept(pipeline: RetrieveAndRerank, small_corpus: Path) -> None:
    judged = judged_sets(small_corpus)["test"]
    found = retrieve_stages(pipeline, judged.queries, depth=20)
    assert list(found.by_name(shares=HALVES)) == list(STAGES)
    assert list(found.by_name(shares=None)) == list(STAGES[:-3])
    for run in found.by_name(shares=HALVES).values():
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
    assert candidates.texts == {PassageId(name): PASSAGES[name] for name in ("a1", "a3", "a4", "d2")}


def test_relevant_passages_that_the_run_lacks_have_their_texts_too(judged_folder: Path) -> None:
    write_lines(judged_folder / "qrels.txt", ["1 0 a1 3", "1 0 a2 1", "1 0 a5 0", "2 0 d2 3", "2 0 zz 3"])
    # a2 and d2 are relevant, a5 isn't, and zz has no text here
    assert set(Candidates.read(judged_folder).texts) == {"a1", "a3", "a4", "a2", "d2"}


def test_candidates_are_read_to_the_depth(judged_folder: Path) -> None:
    assert Candidates.read(judged_folder, depth=2).run[ONE].passage_ids == ("a4", "a3")


@pytest.mark.parametrize("name", ["corpus.jsonl", "queries.tsv", "qrels.txt", "runs/bm25.trec"])
def test_a_file_that_candidates_lack_is_named(judged_folder: Path, name: str) -> None:
    (judged_folder / name).unlink()
    with pytest.raises(CorpusError, match=name):
        Candidates.read(judged_folder)


def test_a_candidate_without_a_text_is_reported(judged_folder: Path) -> None:
    write_lines(judged_folder / "runs/bm25.trec", ["1 Q0 a4 1 3 x", "1 Q0 zz 2 2 x"])
    with pytest.raises(CorpusError, match="lacks 1 passages"):
        Candidates.read(judged_folder)


def test_given_lists_are_re_ranked(judged_folder: Path, bi_encoder: BiEncoder) -> None:
    candidates = Candidates.read(judged_folder)
    only = Candidates(candidates.queries[:1], candidates.qrels, candidates.run, candidates.texts)
    logits = {PASSAGES["a1"]: 3.0, PASSAGES["a3"]: 2.0, PASSAGES["a4"]: 1.0}
    found = rerank_candidates(only, bi_encoder, FixedReranker(logits))
    assert found.bm25[ONE].passage_ids == ("a4", "a3", "a1")
    assert found.reranked[ONE].passage_ids == ("a1", "a3", "a4")
    assert set(found.dense[ONE].passage_ids) == set(found.fused[ONE].passage_ids) == {"a1", "a3", "a4"}
    assert found.late is not None
    texts = [PASSAGES[name] for name in ("a1", "a3", "a4")]
    expected = LateInteractionReranker(bi_encoder).score("how do bees make honey", texts).logits
    scores = dict(zip(found.late[ONE].passage_ids, found.late[ONE].scores, strict=True))
    assert [scores[PassageId(name)] for name in ("a1", "a3", "a4")] == pytest.approx(expected, abs=0.1)
    assert found.mixed("late", 0)[ONE].passage_ids == found.late[ONE].passage_ids


def test_late_interaction_has_the_candidates_that_were_re_ranked(
    pipeline: RetrieveAndRerank, small_corpus: Path
) -> None:
    queries = judged_sets(small_corpus)["test"].queries
    found = retrieve_stages(pipeline, queries, depth=6)
    assert found.late is not None
    for query in queries:
        trace = pipeline.search(query.text, PipelineSettings(depth=6, rerank_depth=6, rerank_mix="late"))
        late = dict(zip(found.late[query.id].passage_ids, found.late[query.id].scores, strict=True))
        assert set(late) == set(found.reranked[query.id].passage_ids)
        assert [late[name] for name in trace.late] == pytest.approx(list(trace.late.values()), abs=0.1)


@pytest.mark.parametrize("order", ["fused", "dense", "late"])
@pytest.mark.parametrize("mix", ["fused", "dense", "late"])
def test_what_is_served_ranks_as_the_pipeline_does(
    pipeline: RetrieveAndRerank, small_corpus: Path, order: FirstScore, mix: FirstScore
) -> None:
    queries = judged_sets(small_corpus)["test"].queries
    served = PipelineSettings(depth=6, rerank_depth=3, rerank_order=order, rerank_mix=mix, rerank_weight=0.4)
    found = retrieve_stages(pipeline, queries, depth=6)
    cut, whole = found.answers(served, whole=False), found.answers(served, whole=True)
    assert cut is not None
    assert whole is not None
    for query in queries:
        assert cut[query.id].passage_ids == pipeline.search(query.text, served).final.passage_ids
        every = pipeline.search(query.text, replace(served, rerank_depth=6)).final
        assert whole[query.id].passage_ids == every.passage_ids


def test_what_is_served_by_another_first_stage_or_without_vectors_of_tokens_has_no_row() -> None:
    found = stages({"a": 2.0, "b": 1.0}, {"b": 2.0, "a": 1.0})
    assert found.answers(PipelineSettings(rerank_weight=0.5, rerank_mix="late"), whole=True) is None
    assert found.answers(PipelineSettings(rerank_weight=0.5, fusion="dense"), whole=True) is None
    assert found.answers(PipelineSettings(rerank_weight=0.5, k1=0.9), whole=True) is None


def test_without_vectors_of_tokens_there_is_no_row_of_late_interaction() -> None:
    found = stages({"a": 2.0, "b": 1.0}, {"b": 2.0, "a": 1.0})
    assert list(found.by_name(shares={"fused": 0.5, "dense": 0.5})) == [name for name in STAGES if "late" not in name]


def test_a_judged_query_that_the_given_run_lacks_counts_zero_and_stops_nothing(
    judged_folder: Path, bi_encoder: BiEncoder
) -> None:
    candidates = Candidates.read(judged_folder)  # query 2 has judgments and no list
    found = rerank_candidates(candidates, bi_encoder, WordOverlapReranker())
    for run in found.by_name(shares=HALVES).values():
        assert measure_run(run, candidates.qrels, minimum_grade=2).per_query["nDCG@10"][TWO] == 0


class TimedReranker(WordOverlapReranker):
    """Takes 0.02 s a passage, by its own account."""

    def score(self, query: str, passages: Sequence[str]) -> Scores:
        seconds = {"tokenize": 0.005 * len(passages), "re-rank": 0.015 * len(passages)}
        return replace(super().score(query, passages), seconds=seconds)


def test_the_time_of_a_pair_is_kept_of_a_search_and_of_a_given_list(
    pipeline: RetrieveAndRerank, small_corpus: Path, judged_folder: Path, bi_encoder: BiEncoder
) -> None:
    timed = RetrieveAndRerank(pipeline.index, bi_encoder, TimedReranker())
    searched = retrieve_stages(timed, judged_sets(small_corpus)["test"].queries, depth=5)
    stage_runs = rerank_candidates(Candidates.read(judged_folder), bi_encoder, TimedReranker())
    assert searched.rerank_seconds == pytest.approx(2 * 5 * 0.02)
    assert stage_runs.rerank_seconds == pytest.approx(3 * 0.02)
    assert (searched.seconds_per_pair, stage_runs.seconds_per_pair) == pytest.approx((0.02, 0.02))
