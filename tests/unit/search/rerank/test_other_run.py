"""Another engine's lists are re-ranked as our own are, and what can't be read is told and stays below."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from indexing.building.build import build
from indexing.building.settings import BuildSettings
from indexing.corpus.corpus import Corpus
from indexing.dense.encoder import BiEncoder
from indexing.errors import SettingsError
from indexing.index import Index, open_index
from indexing.records import PassageId, Query, QueryId, Ranking
from search.pipeline import RetrieveAndRerank
from search.rerank.other_run import above, by_index, by_texts, check_lists, rerank_settings
from search.settings import MIXES, FirstScore, PipelineSettings
from tests.conftest import PASSAGES
from tests.support.fakes import WordOverlapReranker

QUERY = Query(QueryId("1"), "bees make honey and bread")
SETTINGS = PipelineSettings(depth=8, rerank_depth=4, rerank_weight=0.4)


def ranking(*names: str) -> Ranking:
    return Ranking([PassageId(name) for name in names], np.arange(len(names), 0, -1, dtype=np.float32))


@pytest.mark.usefixtures("in_float32")
@pytest.mark.parametrize("order", MIXES)
@pytest.mark.parametrize("mix", MIXES)
def test_our_own_list_comes_out_as_a_search_gives_it_by_index_and_by_texts(
    small_corpus: Path, tiny_bi_encoder: Path, tmp_path: Path, order: FirstScore, mix: FirstScore
) -> None:
    build(Corpus(small_corpus), name="own", root=tmp_path, settings=BuildSettings(bi_encoder=str(tiny_bi_encoder)))
    small_index, bi_encoder = open_index("own", root=tmp_path), BiEncoder(str(tiny_bi_encoder))
    settings = replace(SETTINGS, rerank_order=order, rerank_mix=mix)
    pipeline = RetrieveAndRerank(small_index, bi_encoder, WordOverlapReranker())
    trace = pipeline.search(QUERY.text, settings)
    texts = {PassageId(name): text for name, text in PASSAGES.items()}
    for rerank in (by_index(pipeline, settings), by_texts(texts, WordOverlapReranker(), bi_encoder, settings)):
        found = rerank(QUERY, trace.fused)
        assert found.passage_ids[:4] == trace.final.passage_ids
        np.testing.assert_allclose(found.scores[:4], trace.final.scores, atol=0.01)
        left = [name for name in trace.fused.passage_ids if name not in set(trace.final.passage_ids)]
        assert list(found.passage_ids[4:]) == left
        assert (np.diff(found.scores) <= 0).all()


def test_passages_without_a_text_stay_below_in_their_order(small_index: Index, bi_encoder: BiEncoder) -> None:
    names = list(PASSAGES)[:3]
    mixed = ranking("x1", names[0], "x2", names[1], names[2])
    pipeline = RetrieveAndRerank(small_index, bi_encoder, WordOverlapReranker())
    found = by_index(pipeline, replace(SETTINGS, rerank_weight=1))(QUERY, mixed)
    assert set(found.passage_ids[:3]) == set(names)
    assert found.passage_ids[3:] == ("x1", "x2")
    nothing = by_texts({}, WordOverlapReranker(), None, SETTINGS)(QUERY, mixed)
    assert nothing.passage_ids == mixed.passage_ids


def test_what_follows_the_re_ranked_ones_goes_on_falling() -> None:
    found = above(ranking("b"), ranking("a", "b", "c"))
    assert found.passage_ids == ("b", "a", "c")
    assert found.scores.tolist() == [1, 0, -1]


def test_queries_and_passages_that_dont_fit_are_told_and_none_that_fits_is_refused() -> None:
    run = {QueryId("1"): ranking("a", "x"), QueryId("9"): ranking("a")}
    queries = [QUERY, Query(QueryId("2"), "rye")]
    told: list[str] = []
    known = {PassageId("a")}
    path = Path("their.trec")
    assert check_lists(run, queries, known, source="index s", path=path, note=told.append) == [QUERY]
    assert told == [
        "Without a text and left out: 1 query of their.trec (9).",
        "Without a list in their.trec: 1 query (2).",
        "Not in index s, so they stay below what is re-ranked: 1 passage of their.trec (x).",
    ]
    with pytest.raises(SettingsError, match="no list for any of the 1 queries"):
        check_lists(run, queries[1:], known, source="s", path=path)
    with pytest.raises(SettingsError, match="index s holds no passage of their"):
        check_lists(run, queries, set(), source="index s", path=path, note=told.append)


def test_what_is_given_outranks_the_default_and_the_depth_grows_with_it() -> None:
    usual = PipelineSettings(depth=100, rerank_depth=30, rerank_weight=0.3)
    assert rerank_settings(usual, {}) == usual
    deeper = rerank_settings(usual, {"rerank_depth": 200})
    assert (deeper.depth, deeper.rerank_depth, deeper.rerank_weight) == (200, 200, 0.3)
    assert rerank_settings(replace(usual, rerank_depth=0), {}).rerank_depth == PipelineSettings.rerank_depth
    assert rerank_settings(usual, {"depth": 20}).rerank_depth == 20
