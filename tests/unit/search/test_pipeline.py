"""A query goes in and a trace comes out whose stages agree with each other."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from indexing.dense.encoder import BiEncoder
from indexing.errors import IndexingError, SettingsError
from indexing.index import Index
from indexing.records import PassageId, Ranking
from indexing.store.token_forms import vector_bytes
from indexing.store.token_vectors import (
    StoredPassage,
    open_token_vectors,
    to_codes,
    write_token_vectors,
)
from indexing.store.tokens import PassageTokenizer, TokenIds, TokenStore, write_tokens
from search.fuse import interpolate, reciprocal_rank_fusion, weighted_sum
from search.pipeline import RetrieveAndRerank
from search.rerank.cross_encoder import CrossEncoderReranker
from search.rerank.late_interaction import LateInteractionReranker, late_interaction
from search.rerank.reranker import Scores
from search.rerank.score_cache import RememberedScores
from search.settings import FUSIONS, QUERY_CHARACTERS, FirstScore, Fusion, PipelineSettings
from search.trace import SearchTrace
from tests.conftest import PASSAGES
from tests.support.fakes import FixedReranker, WordOverlapReranker

QUERY = "yeast in bread dough"
TEN = PipelineSettings(depth=10, rerank_depth=5)


def test_re_ranking_stops_with_the_block_that_leads_far_enough(
    small_index: Index, bi_encoder: BiEncoder, reranker: WordOverlapReranker
) -> None:
    """Dense scores fall and all logits are 0, as the passages hold no word of the query: the first ten stay."""
    whole = PipelineSettings(fusion="dense", rerank_depth=20, depth=20, rerank_weight=0.5)
    pipeline = RetrieveAndRerank(small_index, bi_encoder, reranker)
    trace = pipeline.search("zebra", replace(whole, rerank_stop=0.0))
    assert [len(passages) for _, passages in reranker.asked] == [10]
    assert len(trace.final) == len(trace.logits) == 10
    assert trace.final.passage_ids == pipeline.search("zebra", whole).final.passage_ids[:10]
    assert len(pipeline.search("zebra", replace(whole, rerank_stop=9.0)).final) == 20
    assert [len(passages) for _, passages in reranker.asked] == [10, 20, 10, 10]
    assert list(trace.seconds).count("re-rank") == 1


def test_another_setting_turns_early_stopping_off() -> None:
    settings = PipelineSettings(rerank_stop=0.5)
    assert settings.changed({"rerank_depth": 50}) == settings
    assert settings.changed({"rerank_weight": 0.9}) == PipelineSettings(rerank_weight=0.9)
    assert settings.changed({"rerank_stop": 0.7}).rerank_stop == 0.7


def test_the_fused_ranking_is_that_of_the_first_stage_rankings(pipeline: RetrieveAndRerank) -> None:
    trace = pipeline.search(QUERY, TEN)
    assert set(trace.first_stage) == {"bm25", "dense"}
    assert trace.fused == reciprocal_rank_fusion(trace.first_stage, depth=10)


def test_the_first_stage_is_told_before_its_passages_are_re_ranked(pipeline: RetrieveAndRerank) -> None:
    told: list[SearchTrace] = []
    trace = pipeline.search(QUERY, TEN, on_first=told.append)
    (first,) = told
    assert first.reranked is None
    assert first.fused == trace.fused
    assert trace.reranked is not None
    pipeline.search(QUERY, replace(TEN, rerank_depth=0), on_first=told.append)
    assert len(told) == 1  # that trace is the answer itself


def test_the_constant_of_fusion_is_the_settings(pipeline: RetrieveAndRerank) -> None:
    trace = pipeline.search(QUERY, replace(TEN, rrf_k=3))
    assert trace.fused == reciprocal_rank_fusion(trace.first_stage, depth=10, k=3)


def test_weighted_fusion_gives_dense_what_bm25_leaves(pipeline: RetrieveAndRerank) -> None:
    trace = pipeline.search(QUERY, replace(TEN, fusion="weighted", bm25_weight=0.2))
    assert trace.fused == weighted_sum(trace.first_stage, {"bm25": 0.2, "dense": 0.8}, depth=10)


@pytest.mark.parametrize("fusion", ["bm25", "dense"])
def test_one_retriever_alone_is_the_whole_first_stage(pipeline: RetrieveAndRerank, fusion: Fusion) -> None:
    trace = pipeline.search(QUERY, replace(TEN, fusion=fusion))
    assert set(trace.first_stage) == {fusion}
    assert trace.fused == trace.first_stage[fusion]


@pytest.mark.parametrize("fusion", FUSIONS)
def test_each_ranking_holds_at_most_depth_passages(pipeline: RetrieveAndRerank, fusion: Fusion) -> None:
    trace = pipeline.search(QUERY, PipelineSettings(depth=4, rerank_depth=4, fusion=fusion))
    assert all(len(ranking) <= 4 for ranking in (*trace.first_stage.values(), trace.fused, trace.final))


def test_the_best_rerank_depth_passages_are_re_ranked(pipeline: RetrieveAndRerank) -> None:
    trace = pipeline.search(QUERY, TEN)
    assert trace.reranked is not None
    assert set(trace.reranked.passage_ids) == set(trace.fused.top(5).passage_ids) == set(trace.logits)


def test_the_re_ranker_reads_each_passage_whole_and_in_order(
    pipeline: RetrieveAndRerank, reranker: WordOverlapReranker
) -> None:
    trace = pipeline.search(f"  {QUERY.replace(' ', '   ')} ", TEN)
    assert reranker.asked == [(QUERY, tuple(PASSAGES[name] for name in trace.fused.top(5).passage_ids))]


def test_the_final_ranking_is_by_the_re_rankers_logits(small_index: Index, bi_encoder: BiEncoder) -> None:
    # the later a passage stands in the alphabet, the better
    logits = {text: float(place) for place, text in enumerate(PASSAGES.values())}
    trace = RetrieveAndRerank(small_index, bi_encoder, FixedReranker(logits)).search(QUERY, TEN)
    assert trace.final.passage_ids == tuple(sorted(trace.fused.top(5).passage_ids, reverse=True))
    assert dict(trace.logits) == {passage_id: logits[PASSAGES[passage_id]] for passage_id in trace.final.passage_ids}


def test_moves_are_places_risen_since_the_fused_ranking(small_index: Index, bi_encoder: BiEncoder) -> None:
    order = RetrieveAndRerank(small_index, bi_encoder, None).search(QUERY, TEN).fused.top(5).passage_ids
    upside_down = {PASSAGES[name]: float(place) for place, name in enumerate(order)}
    trace = RetrieveAndRerank(small_index, bi_encoder, FixedReranker(upside_down)).search(QUERY, TEN)
    # 5th to 1st, 4th to 2nd, 3rd stays, 2nd to 4th, 1st to 5th
    assert [trace.moves()[name] for name in trace.final.passage_ids] == [5 - 1, 4 - 2, 0, 2 - 4, 1 - 5]


def test_interpolation_mixes_the_re_ranker_with_the_fused_scores(pipeline: RetrieveAndRerank) -> None:
    alone = pipeline.search(QUERY, TEN)
    mixed = pipeline.search(QUERY, replace(TEN, rerank_weight=0.4))
    assert alone.reranked is not None
    assert mixed.reranked == interpolate(alone.reranked, alone.fused.top(5), weight=0.4)


def test_the_re_ranker_can_be_mixed_with_the_cosine_of_every_passage_it_saw(
    pipeline: RetrieveAndRerank, bi_encoder: BiEncoder
) -> None:
    alone = pipeline.search(QUERY, replace(TEN, fusion="bm25"))
    mixed = pipeline.search(QUERY, replace(TEN, fusion="bm25", rerank_mix="dense", rerank_weight=0.4))
    assert list(mixed.first_stage) == ["bm25"]
    assert alone.reranked is not None
    query = bi_encoder.encode_query(QUERY)
    for passage_id in alone.fused.top(5).passage_ids:
        cosine = float(bi_encoder.encode_passages([PASSAGES[passage_id]])[0] @ query)
        assert mixed.cosines[passage_id] == pytest.approx(cosine, abs=2e-3)  # stored in float16
    cosines = Ranking.sort(mixed.cosines.items())
    assert mixed.reranked == interpolate(alone.reranked, cosines, weight=0.4)
    assert alone.cosines == {}


def test_the_re_ranker_can_be_mixed_with_late_interaction(pipeline: RetrieveAndRerank, bi_encoder: BiEncoder) -> None:
    alone = pipeline.search(QUERY, TEN)
    mixed = pipeline.search(QUERY, replace(TEN, rerank_mix="late", rerank_weight=0.4))
    names = alone.fused.top(5).passage_ids
    (query,) = bi_encoder.encode_query_tokens([QUERY])
    for name in names:
        (passage,) = bi_encoder.encode_tokens([PASSAGES[name]])
        assert mixed.late[name] == pytest.approx(late_interaction(query, passage), abs=0.1)  # batches round otherwise
    assert set(mixed.late) == set(names)
    assert alone.reranked is not None
    assert mixed.reranked == interpolate(alone.reranked, Ranking.sort(mixed.late.items()), weight=0.4)
    assert mixed.logits == alone.logits
    assert list(mixed.seconds) == ["bm25", "encode", "faiss", "fuse", "load", "late", "tokenize", "re-rank"]


@pytest.mark.parametrize("order", ["dense", "late"])
def test_the_passages_that_are_re_ranked_are_the_best_by_the_order_that_is_set(
    pipeline: RetrieveAndRerank, order: FirstScore
) -> None:
    trace = pipeline.search(QUERY, replace(TEN, fusion="bm25", depth=20, rerank_order=order, rerank_depth=1))
    scores = trace.cosines if order == "dense" else trace.late
    assert set(scores) == set(trace.fused.passage_ids)
    assert len(scores) > 1
    best = max(scores, key=lambda name: scores[name])
    assert trace.final.passage_ids == (best,)
    assert trace.moves() == {best: trace.fused.ranks()[best] - 1}


def test_what_the_re_ranker_is_mixed_with_does_not_depend_on_the_order_that_chose_its_passages(
    pipeline: RetrieveAndRerank,
) -> None:
    trace = pipeline.search(QUERY, replace(TEN, rerank_order="dense", rerank_depth=3, rerank_weight=0.4))
    logits = Ranking.sort(trace.logits.items())
    assert len(logits) == 3
    assert trace.reranked == interpolate(logits, trace.fused, weight=0.4)


def test_late_interaction_re_ranks_alone_and_is_computed_once(small_index: Index, bi_encoder: BiEncoder) -> None:
    late = LateInteractionReranker(bi_encoder)
    trace = RetrieveAndRerank(small_index, bi_encoder, late).search(QUERY, replace(TEN, rerank_order="late"))
    assert trace.versions.reranker == "late"
    assert set(trace.late) == set(trace.fused.passage_ids)
    assert trace.logits == {name: trace.late[name] for name in trace.final.passage_ids}  # to the bit
    assert trace.final == Ranking.sort(trace.late.items()).top(5)
    assert trace.seconds["re-rank"] < trace.seconds["late"]


@pytest.mark.parametrize(("form", "error"), [("int8", 0.15), ("int4", 1.5)])
def test_stored_token_vectors_give_the_scores_of_the_texts_within_the_rounding(
    small_index: Index, bi_encoder: BiEncoder, tmp_path: Path, form: str, error: float
) -> None:
    (tmp_path / "token_vectors").mkdir()
    texts = [passage.content for passage in small_index.passages]
    rows = [StoredPassage(to_codes(tokens, form), cut=False) for tokens in bi_encoder.encode_tokens(texts)]
    width = vector_bytes(form, bi_encoder.dim)
    write_token_vectors(tmp_path / "token_vectors/00000.arrow", [rows], width=width)
    stored = replace(small_index, token_vectors=open_token_vectors(tmp_path, form, dim=bi_encoder.dim))
    late = LateInteractionReranker(bi_encoder)
    expected = RetrieveAndRerank(small_index, bi_encoder, late).search(QUERY, TEN)
    blind = LateInteractionReranker(bi_encoder)
    blind.score = None  # type: ignore[assignment, method-assign]  # the texts must not be read
    found = RetrieveAndRerank(stored, bi_encoder, blind).search(QUERY, TEN)
    assert found.logits.keys() == expected.logits.keys()
    differences = [abs(found.logits[name] - expected.logits[name]) for name in expected.logits]
    assert 0 < max(differences) < error
    mixed = RetrieveAndRerank(stored, bi_encoder, WordOverlapReranker()).search(QUERY, replace(TEN, rerank_mix="late"))
    assert mixed.late == found.logits


def test_interpolation_keeps_the_raw_logits(pipeline: RetrieveAndRerank) -> None:
    assert pipeline.search(QUERY, replace(TEN, rerank_weight=0.4)).logits == pipeline.search(QUERY, TEN).logits


def test_passages_that_were_cut_are_reported(
    small_index: Index, bi_encoder: BiEncoder, pipeline: RetrieveAndRerank
) -> None:
    assert pipeline.search(QUERY, TEN).truncated == frozenset()
    marked = PassageId("c1")

    class Cutting(WordOverlapReranker):
        def score(self, query: str, passages: Sequence[str]) -> Scores:
            scores = super().score(query, passages)
            return replace(scores, truncated=tuple(text == PASSAGES[marked] for text in passages))

    trace = RetrieveAndRerank(small_index, bi_encoder, Cutting()).search(QUERY, replace(TEN, rerank_depth=10))
    assert trace.truncated == {marked}


def test_a_query_that_is_longer_than_what_reads_it_is_told(
    small_index: Index, bi_encoder: BiEncoder, tiny_cross_encoder: Path, pipeline: RetrieveAndRerank
) -> None:
    """A re-ranker reads 64 tokens of a query, the bi-encoder 128 with [CLS] and [SEP]; either may not be asked."""
    query = ("water " * 300).strip()
    own = "The query has 300 tokens; the bi-encoder reads only the first 126."
    other = "The query has 300 tokens; the re-ranker reads only the first 64."
    remembering = RememberedScores(CrossEncoderReranker(str(tiny_cross_encoder)))
    with_model = RetrieveAndRerank(small_index, bi_encoder, remembering)
    assert with_model.search(query, TEN).notes == (own, other)
    assert with_model.search(query, TEN).to_dict()["notes"] == [own, other]
    words = replace(TEN, fusion="bm25")
    assert with_model.search(query, words).notes == (other,)
    assert with_model.search(query, replace(words, rerank_mix="late", rerank_weight=0.5)).notes == (own, other)
    assert with_model.search(query, replace(TEN, rerank_depth=0)).notes == (own,)
    assert with_model.search("water " * 65, TEN).notes == (other.replace("300", "65"),)
    assert with_model.search("water " * 64, TEN).notes == ()
    assert pipeline.search(query, TEN).notes == (own,)  # that re-ranker reads all of it


def test_with_a_re_ranking_depth_of_zero_the_fused_ranking_is_final(
    pipeline: RetrieveAndRerank, reranker: WordOverlapReranker
) -> None:
    trace = pipeline.search(QUERY, replace(TEN, rerank_depth=0))
    assert (trace.reranked, trace.final, reranker.asked) == (None, trace.fused, [])


def test_without_a_re_ranker_the_fused_ranking_is_final(small_index: Index, bi_encoder: BiEncoder) -> None:
    trace = RetrieveAndRerank(small_index, bi_encoder, None).search(QUERY, TEN)
    assert (trace.reranked, trace.final, dict(trace.logits)) == (None, trace.fused, {})
    assert set(trace.moves().values()) == {0}


def test_the_trace_holds_the_passages_of_the_fused_ranking(pipeline: RetrieveAndRerank) -> None:
    trace = pipeline.search(QUERY, TEN)
    assert {name: passage.text for name, passage in trace.passages.items()} == {
        name: PASSAGES[name] for name in trace.fused.passage_ids
    }


def test_every_stage_is_timed_in_the_order_of_running(pipeline: RetrieveAndRerank) -> None:
    stages = ["bm25", "encode", "faiss", "fuse", "load", "tokenize", "re-rank"]
    assert list(pipeline.search(QUERY, TEN).seconds) == stages


def test_the_same_query_gives_the_same_trace(pipeline: RetrieveAndRerank) -> None:
    one, two = (replace(pipeline.search(QUERY, TEN), seconds={}) for _ in range(2))
    assert one == two


@pytest.mark.parametrize("query", ["", "   ", "\n\t"])
def test_an_empty_query_is_refused(pipeline: RetrieveAndRerank, query: str) -> None:
    with pytest.raises(SettingsError, match="empty"):
        pipeline.search(query, TEN)


def test_a_query_over_the_limit_is_refused_with_its_length(pipeline: RetrieveAndRerank) -> None:
    with pytest.raises(SettingsError, match="2,001 characters"):
        pipeline.search("x" * (QUERY_CHARACTERS + 1), TEN)


def test_a_query_of_just_the_limit_is_answered(pipeline: RetrieveAndRerank) -> None:
    query = ("bread " * QUERY_CHARACTERS)[: QUERY_CHARACTERS - 1] + "x"
    assert len(pipeline.search(query, TEN).final) == 5


@pytest.mark.parametrize("query", ["the of and", "?!", "quasar 1234567", "яблоко", "🐝"])
def test_a_query_without_a_match_is_answered_with_an_empty_bm25_list(pipeline: RetrieveAndRerank, query: str) -> None:
    trace = pipeline.search(query, TEN)
    assert len(trace.first_stage["bm25"]) == 0
    assert len(trace.first_stage["dense"]) == 10


def test_where_nothing_is_found_nothing_is_re_ranked(
    pipeline: RetrieveAndRerank, reranker: WordOverlapReranker
) -> None:
    trace = pipeline.search("quasar", replace(TEN, fusion="bm25"))
    assert (len(trace.final), trace.reranked, reranker.asked) == (0, None, [])


@pytest.mark.parametrize(
    "values",
    [
        {"depth": 0},
        {"depth": 10_001},
        {"rerank_depth": -1},
        {"depth": 10, "rerank_depth": 11},
        {"fusion": "sum"},
        {"rrf_k": -1},
        {"bm25_weight": 1.5},
        {"k1": 10.5},
        {"b": -0.1},
        {"rerank_weight": -0.5},
        {"rerank_mix": "bm25"},
        {"rerank_order": "bm25"},
        {"rerank_weight": float("nan")},
        {"rerank_stop": -0.1},
        {"rerank_stop": float("nan")},
        {"rerank_stop": float("inf")},
    ],
)
def test_settings_out_of_range_are_refused_with_the_value(values: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match=str(list(values.values())[-1]).replace("10001", "10001|10,001")):
        PipelineSettings(**values)


def test_an_index_of_another_bi_encoder_is_refused(small_index: Index, bi_encoder: BiEncoder) -> None:
    other = replace(small_index, manifest=replace(small_index.manifest, bi_encoder_fingerprint="0" * 16))
    with pytest.raises(IndexingError, match="Rebuild"):
        RetrieveAndRerank(other, bi_encoder, None)


class ReadsStoredIds(WordOverlapReranker):
    """Remembers the token ids that it is handed; None where it is handed texts."""

    def __init__(self, fingerprint: str) -> None:
        super().__init__()
        self._fingerprint = fingerprint
        self.tokens: list[list[list[int]] | None] = []

    @property
    def tokenizer_fingerprint(self) -> str:
        return self._fingerprint

    def score(self, query: str, passages: Sequence[str]) -> Scores:
        self.tokens.append(None)
        return super().score(query, passages)

    def score_stored(self, query: str, tokens: Sequence[TokenIds]) -> Scores:
        self.tokens.append([row.tolist() for row in tokens])
        return Scores(np.arange(len(tokens), dtype=np.float32))


def with_tokens(index: Index, folder: Path, rows: list[TokenIds], *, fingerprint: str) -> Index:
    write_tokens(folder / "00000.arrow", rows)
    return replace(
        index, tokens=TokenStore(folder), manifest=replace(index.manifest, tokenizer_fingerprint=fingerprint)
    )


def own_rows(index: Index) -> list[TokenIds]:
    """Each passage's only token id is its row."""
    return [np.array([row], dtype=np.uint16) for row in range(len(index.passages))]


def test_the_re_ranker_gets_the_stored_ids_of_its_tokenizer(
    small_index: Index, bi_encoder: BiEncoder, tmp_path: Path
) -> None:
    index = with_tokens(small_index, tmp_path, own_rows(small_index), fingerprint="a" * 16)
    reranker = ReadsStoredIds("a" * 16)
    trace = RetrieveAndRerank(index, bi_encoder, reranker).search(QUERY, TEN)
    assert reranker.tokens == [[[list(PASSAGES).index(name)] for name in trace.fused.top(5).passage_ids]]
    assert list(trace.seconds) == ["bm25", "encode", "faiss", "fuse", "load", "re-rank"]


def test_stored_ids_of_another_tokenizer_are_not_given(
    small_index: Index, bi_encoder: BiEncoder, tmp_path: Path
) -> None:
    index = with_tokens(small_index, tmp_path, own_rows(small_index), fingerprint="a" * 16)
    reranker = ReadsStoredIds("b" * 16)
    RetrieveAndRerank(index, bi_encoder, reranker).search(QUERY, TEN)
    assert reranker.tokens == [None]


def test_an_index_without_stored_ids_gives_none(small_index: Index, bi_encoder: BiEncoder) -> None:
    index = replace(small_index, tokens=None, manifest=replace(small_index.manifest, tokenizer_fingerprint=""))
    reranker = ReadsStoredIds("")
    RetrieveAndRerank(index, bi_encoder, reranker).search(QUERY, TEN)
    assert reranker.tokens == [None]


def test_stored_ids_change_no_score_and_no_place(
    small_index: Index, bi_encoder: BiEncoder, tiny_cross_encoder: Path, tmp_path: Path
) -> None:
    words = PassageTokenizer(str(tiny_cross_encoder))
    rows = words.encode([passage.content for passage in small_index.passages])
    index = with_tokens(small_index, tmp_path, rows, fingerprint=words.fingerprint)
    reranker = CrossEncoderReranker(str(tiny_cross_encoder), max_length=24)
    traces: list[SearchTrace] = []
    for stored in (None, index.tokens):
        pipeline = RetrieveAndRerank(replace(index, tokens=stored), bi_encoder, reranker)
        traces.append(replace(pipeline.search(QUERY, TEN), seconds={}))
    assert traces[0] == traces[1]
    assert len(set(traces[0].logits.values())) == 5
    assert traces[0].truncated
