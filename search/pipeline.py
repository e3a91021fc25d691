"""Retrieve, fuse, re-rank: one query goes in, a trace of every stage comes out."""

import time
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from indexing.dense.encoder import BiEncoder
from indexing.errors import SettingsError
from indexing.index import Index, check_encoder
from indexing.records import Floats, Passage, PassageId, Ranking
from indexing.store.tokens import TokenIds
from search.fuse import fuse, interpolate
from search.rerank.reranker import Reranker
from search.retrieve import encode, nearest, retrieve_bm25
from search.settings import QUERY_CHARACTERS, PipelineSettings
from search.trace import SearchTrace


class Pipeline(Protocol):
    """An index with its models that answers queries, directly or by way of another pipeline."""

    @property
    def index(self) -> Index:
        """The index that is searched."""

    @property
    def encoder(self) -> BiEncoder:
        """The bi-encoder that the index was built with."""

    @property
    def reranker(self) -> Reranker | None:
        """None where only the first stage answers."""

    def search(self, query: str, settings: PipelineSettings) -> SearchTrace:
        """Answer one query. Raises SettingsError, ModelError."""


class RetrieveAndRerank:
    """An open index, its bi-encoder and a re-ranker, wired."""

    def __init__(self, index: Index, encoder: BiEncoder, reranker: Reranker | None) -> None:
        """Raises IndexingError where the bi-encoder isn't the one that the index was built with."""
        check_encoder(index.folder, index.manifest, encoder)
        self.index = index
        self.reranker = reranker
        self.encoder = encoder

    def search(self, query: str, settings: PipelineSettings) -> SearchTrace:
        """Answer one query.

        Raises:
            SettingsError: the query is empty or longer than 2,000 characters, or the index can't have this k1 and b.
        """
        text = " ".join(query.split())
        if not text:
            raise SettingsError("The query is empty; type some words.")
        if len(text) > QUERY_CHARACTERS:
            raise SettingsError(f"The query has {len(text):,} characters; at most {QUERY_CHARACTERS:,} are searched.")
        first_stage, vector, seconds = self._retrieve(text, settings)
        start = time.perf_counter()
        fused = fuse(first_stage, settings, depth=settings.depth)
        seconds["fuse"] = time.perf_counter() - start
        start = time.perf_counter()
        rows = [self.index.passages.row_of(passage_id) for passage_id in fused.passage_ids]
        passages = {
            passage_id: self.index.passages[row] for passage_id, row in zip(fused.passage_ids, rows, strict=True)
        }
        seconds["load"] = time.perf_counter() - start
        if self.reranker is None or settings.rerank_depth == 0 or not len(fused):
            return SearchTrace(text, first_stage, fused, None, {}, {}, frozenset(), seconds, passages)
        return self._rerank(text, settings, first_stage, fused, seconds, passages, rows, vector, self.reranker)

    def _retrieve(
        self, query: str, settings: PipelineSettings
    ) -> tuple[dict[str, Ranking], Floats | None, dict[str, float]]:
        """Rankings, the query's vector where something wants it, and seconds."""
        rankings: dict[str, Ranking] = {}
        seconds: dict[str, float] = {}
        vector: Floats | None = None
        if settings.fusion != "dense":
            rankings["bm25"], spent = retrieve_bm25(
                self.index, query, depth=settings.depth, k1=settings.k1, b=settings.b
            )
            seconds |= spent
        if settings.fusion != "bm25" or settings.rerank_mix == "dense":
            vector, spent = encode(self.encoder, query)
            seconds |= spent
        if vector is not None and settings.fusion != "bm25":
            rankings["dense"], spent = nearest(self.index, vector, depth=settings.depth)
            seconds |= spent
        return rankings, vector, seconds

    def _stored_tokens(self, rows: Sequence[int], reranker: Reranker) -> list[TokenIds] | None:
        """The index's token ids of the passages at these rows; None where it has none by the re-ranker's tokenizer."""
        stored = self.index.tokens
        if stored is None or self.index.manifest.tokenizer_fingerprint != reranker.tokenizer_fingerprint:
            return None
        return [stored.ids(row) for row in rows]

    def _rerank(
        self,
        query: str,
        settings: PipelineSettings,
        first_stage: dict[str, Ranking],
        fused: Ranking,
        seconds: dict[str, float],
        passages: dict[PassageId, Passage],
        rows: Sequence[int],
        vector: Floats | None,
        reranker: Reranker,
    ) -> SearchTrace:
        candidates = fused.top(settings.rerank_depth)
        texts = [passages[passage_id].content for passage_id in candidates.passage_ids]
        start = time.perf_counter()
        tokens = self._stored_tokens(rows[: len(candidates)], reranker)
        cosines: dict[PassageId, float] = {}
        if vector is not None and settings.rerank_mix == "dense":
            near = self.index.vectors.rows(np.array(rows[: len(candidates)])) @ vector  # (candidates,) float32
            cosines = dict(zip(candidates.passage_ids, near.tolist(), strict=True))
        seconds["load"] += time.perf_counter() - start
        scores = reranker.score(query, texts, tokens=tokens)
        logits = dict(zip(candidates.passage_ids, scores.logits.tolist(), strict=True))
        reranked = Ranking.sort(logits.items())
        if settings.rerank_weight < 1:
            other = Ranking.sort(cosines.items()) if settings.rerank_mix == "dense" else candidates
            reranked = interpolate(reranked, other, weight=settings.rerank_weight)
        truncated = frozenset(
            passage_id for passage_id, cut in zip(candidates.passage_ids, scores.truncated, strict=True) if cut
        )
        seconds |= scores.seconds
        return SearchTrace(query, first_stage, fused, reranked, logits, cosines, truncated, seconds, passages)
