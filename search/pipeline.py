"""Retrieve, fuse, re-rank: one query goes in, a trace of every stage comes out."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Protocol

import numpy as np

from indexing.dense.encoder import BiEncoder
from indexing.index import Index, check_encoder
from indexing.provenance import package_version
from indexing.records import PassageId, Ranking
from indexing.store.tokens import TokenIds
from search.fuse import interpolate
from search.rerank.reranker import Reranker, StoredTokens, score_passages
from search.retrieve import FirstStage, first_stage
from search.settings import PipelineSettings, normalized_query
from search.stopwatch import Stopwatch
from search.trace import PipelineVersions, SearchTrace


class Pipeline(Protocol):
    """An index with its models that answers queries, directly or through another pipeline."""

    @property
    def index(self) -> Index:
        """The index that is searched."""

    @property
    def encoder(self) -> BiEncoder:
        """The bi-encoder that the index was built with."""

    @property
    def reranker(self) -> Reranker | None:
        """The re-ranker; None if only the first stage answers."""

    def search(self, query: str, settings: PipelineSettings | None = None) -> SearchTrace:
        """Answer one query. Raises SettingsError, ModelError."""

    def retrieve(self, query: str, settings: PipelineSettings | None = None) -> FirstStage:
        """The first stage alone. Raises SettingsError."""


class RetrieveAndRerank:
    """An open index, its bi-encoder and a re-ranker, wired together."""

    def __init__(self, index: Index, encoder: BiEncoder, reranker: Reranker | None) -> None:
        """Raises IndexingError if the bi-encoder isn't the one that the index was built with."""
        check_encoder(index.folder, encoder, manifest=index.manifest, passages=index.passages, vectors=index.vectors)
        self.index = index
        self.reranker = reranker
        self.encoder = encoder

    @property
    def versions(self) -> PipelineVersions:
        """The index and the models that answer a query."""
        return PipelineVersions(
            index=self.index.manifest.name,
            build=self.index.manifest.build,
            bi_encoder=self.index.manifest.bi_encoder,
            reranker=None if self.reranker is None else self.reranker.name,
            second_look=package_version(),
        )

    def search(self, query: str, settings: PipelineSettings | None = None) -> SearchTrace:
        """Answer one query; None for the settings stands for the defaults, `PipelineSettings()`.

        Raises:
            SettingsError: the query is empty or longer than 2,000 characters, or the index can't use this k1 and b.
            ModelError: the re-ranker doesn't give one finite number for each passage.
        """
        settings = settings or PipelineSettings()
        first = self.retrieve(query, settings)
        trace = SearchTrace(
            query=first.query,
            settings=settings,
            versions=self.versions,
            first_stage=first.rankings,
            fused=first.fused,
            seconds=first.seconds,
            passages=first.passages,
            notes=first.notes,
            analyzer=self.index.analyzer,
        )
        if self.reranker is None or settings.rerank_depth == 0 or not len(first.fused):
            return trace
        return self._rerank(trace, first, self.reranker)

    def retrieve(self, query: str, settings: PipelineSettings | None = None) -> FirstStage:
        """The first stage alone, fused. Raises SettingsError as `search` does."""
        return first_stage(self.index, self.encoder, normalized_query(query), settings or PipelineSettings())

    def _rerank(self, trace: SearchTrace, first: FirstStage, reranker: Reranker) -> SearchTrace:
        settings = trace.settings
        clock = Stopwatch(first.seconds)
        candidates = first.fused.top(settings.rerank_depth)
        rows = {passage_id: first.rows[passage_id] for passage_id in candidates.passage_ids}
        texts = [first.passages[passage_id].content for passage_id in candidates.passage_ids]
        tokens = self._stored_tokens(rows.values(), reranker)
        cosines = self._cosines(first, rows) if settings.rerank_mix == "dense" else {}
        clock.lap("load")
        scores = score_passages(reranker, first.query, texts, tokens=tokens)
        logits = dict(zip(candidates.passage_ids, scores.logits.tolist(), strict=True))
        cut = zip(candidates.passage_ids, scores.truncated, strict=True)
        reranked = Ranking.sort(logits.items())
        if settings.rerank_weight < 1:
            other = Ranking.sort(cosines.items()) if settings.rerank_mix == "dense" else candidates
            reranked = interpolate(reranked, other, weight=settings.rerank_weight)
        return replace(
            trace,
            reranked=reranked,
            logits=logits,
            cosines=cosines,
            truncated=frozenset(passage_id for passage_id, truncated in cut if truncated),
            seconds={**clock.seconds, **scores.seconds},
        )

    def _stored_tokens(self, rows: Iterable[int], reranker: Reranker) -> list[TokenIds] | None:
        """The index's token ids of the passages at these rows; None if it stores none by the re-ranker's tokenizer."""
        stored, fingerprint = self.index.tokens, self.index.manifest.tokenizer_fingerprint
        if stored is None or not isinstance(reranker, StoredTokens) or reranker.tokenizer_fingerprint != fingerprint:
            return None
        return [stored.ids(row) for row in rows]

    def _cosines(self, first: FirstStage, rows: Mapping[PassageId, int]) -> dict[PassageId, float]:
        """The query's cosine with each candidate, whichever retriever returned it."""
        if first.vector is None:
            return {}
        cosines = self.index.vectors.rows(np.array(list(rows.values()))) @ first.vector  # (candidates,) float32
        return dict(zip(rows, cosines.tolist(), strict=True))
