"""Rankings are those that are served, and a passage that isn't returned is scored as if it were."""

import pytest

from indexing.errors import SettingsError
from indexing.records import PassageId, Query, QueryId
from search.pipeline import RetrieveAndRerank
from search.retrieve import retrieve_bm25, retrieve_dense
from search.settings import FUSIONS, Fusion, PipelineSettings
from tests.conftest import PASSAGES
from training.mining.first_stage import ServedFirstStage

BREAD = Query(QueryId("2"), "why does bread rise")
ALL = {PassageId(name): 1 for name in PASSAGES}


@pytest.mark.parametrize("fusion", FUSIONS)
def test_the_ranking_is_the_served_one(pipeline: RetrieveAndRerank, fusion: Fusion) -> None:
    candidates = ServedFirstStage(pipeline, fusion=fusion, depth=9).candidates(BREAD, ALL)
    settings = PipelineSettings(depth=9, rerank_depth=0, fusion=fusion)
    assert candidates.ranking == pipeline.search(BREAD.text, settings).fused
    assert candidates.query_id == "2"


@pytest.mark.parametrize("fusion", FUSIONS)
def test_a_returned_passage_has_its_served_score(pipeline: RetrieveAndRerank, fusion: Fusion) -> None:
    candidates = ServedFirstStage(pipeline, fusion=fusion, depth=3).candidates(BREAD, ALL)
    assert candidates.relevant_scores.keys() == ALL.keys()
    for _, passage_id, score in candidates.ranking:
        assert candidates.relevant_scores[passage_id] == score


def test_bm25_scores_what_it_does_not_return(pipeline: RetrieveAndRerank) -> None:
    candidates = ServedFirstStage(pipeline, fusion="bm25", depth=2).candidates(BREAD, ALL)
    deep, _ = retrieve_bm25(pipeline.index, BREAD.text, depth=20)
    assert len(deep) > len(candidates.ranking)
    # BM25 returns what shares a term; the rest scores 0
    expected = dict.fromkeys(ALL, 0.0) | {passage_id: score for _, passage_id, score in deep}
    assert candidates.relevant_scores == pytest.approx(expected)


def test_cosines_are_those_of_the_stored_vectors(pipeline: RetrieveAndRerank) -> None:
    candidates = ServedFirstStage(pipeline, fusion="dense", depth=2).candidates(BREAD, ALL)
    deep, _ = retrieve_dense(pipeline.index, pipeline.encoder.encode_query(BREAD.text), depth=20)
    assert candidates.relevant_scores == pytest.approx({passage_id: score for _, passage_id, score in deep}, abs=1e-5)
    assert not candidates.unscored


def test_fusion_counts_the_lists_that_hold_a_passage(pipeline: RetrieveAndRerank) -> None:
    candidates = ServedFirstStage(pipeline, fusion="rrf", depth=3).candidates(BREAD, ALL)
    bm25, _ = retrieve_bm25(pipeline.index, BREAD.text, depth=3)
    dense, _ = retrieve_dense(pipeline.index, pipeline.encoder.encode_query(BREAD.text), depth=3)
    ranks = bm25.ranks(), dense.ranks()
    expected = {name: sum(1 / (60 + rank[name]) for rank in ranks if name in rank) for name in ALL}
    assert candidates.relevant_scores == pytest.approx(expected)
    assert len({*bm25.passage_ids, *dense.passage_ids}) > 3  # the fused ranking has 3 and cuts one off
    unseen = {name for name, score in expected.items() if score == 0}
    assert unseen
    assert candidates.unscored == unseen


def test_weighted_fusion_gives_0_to_what_no_list_holds(pipeline: RetrieveAndRerank) -> None:
    candidates = ServedFirstStage(pipeline, fusion="weighted", depth=3).candidates(BREAD, ALL)
    settings = PipelineSettings(depth=3, rerank_depth=0, fusion="weighted")
    trace = pipeline.search(BREAD.text, settings)
    listed = {name for ranking in trace.first_stage.values() for name in ranking.passage_ids}
    assert all(candidates.relevant_scores[name] == 0 for name in ALL.keys() - listed)
    assert candidates.unscored == ALL.keys() - listed
    assert max(candidates.relevant_scores.values()) == pytest.approx(float(trace.fused.scores[0]))


def test_only_relevant_passages_that_the_index_holds_are_scored(pipeline: RetrieveAndRerank) -> None:
    judged = {PassageId("c1"): 3, PassageId("c2"): 0, PassageId("c3"): -1, PassageId("gone"): 2}
    candidates = ServedFirstStage(pipeline, fusion="bm25", depth=9).candidates(BREAD, judged)
    assert set(candidates.relevant_scores) == {"c1"}
    assert candidates.judged == judged


def test_a_query_whose_relevant_passages_the_index_lacks_is_not_searched(pipeline: RetrieveAndRerank) -> None:
    stage = ServedFirstStage(pipeline, fusion="bm25", depth=9)
    for judged in ({}, {PassageId("gone"): 2}, {PassageId("c1"): 0}):
        candidates = stage.candidates(BREAD, judged)
        assert (len(candidates.ranking), dict(candidates.relevant_scores)) == (0, {})


def test_a_text_is_what_the_re_ranker_reads(pipeline: RetrieveAndRerank) -> None:
    assert ServedFirstStage(pipeline, fusion="bm25", depth=9).text(PassageId("c1")) == PASSAGES["c1"]


def test_a_query_that_is_too_long_is_named(pipeline: RetrieveAndRerank) -> None:
    stage = ServedFirstStage(pipeline, fusion="bm25", depth=9)
    with pytest.raises(SettingsError) as refused:
        stage.candidates(Query(QueryId("77"), "x" * 2001), ALL)
    assert str(refused.value) == (
        "Query 77 has 2,001 characters, more than the 2,000 that search allows; shorten it or remove it from the "
        "queries."
    )


def test_an_unknown_source_is_refused(pipeline: RetrieveAndRerank) -> None:
    with pytest.raises(SettingsError, match="splade"):
        ServedFirstStage(pipeline, fusion="splade", depth=9)  # type: ignore[arg-type]  # what a type checker doesn't see
