"""Retrieve, fuse, re-rank: one query goes in, a trace of every stage comes out."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from indexing.bm25 import Bm25Settings
from indexing.encoder import BiEncoder
from indexing.errors import SettingsError
from indexing.index import Index, check_encoder
from indexing.records import Floats, Passage, PassageId, Ranking
from indexing.tokens import TokenIds
from search.fuse import interpolate, reciprocal_rank_fusion, weighted_sum
from search.rerank import Reranker
from search.retrieve import encode, nearest, retrieve_bm25

FUSIONS = ("rrf", "weighted", "bm25", "dense")
MIXES = ("fused", "dense")
QUERY_CHARACTERS = 2000  # a longer query is a pasted document


@dataclass(frozen=True)
class PipelineSettings:
    """How a query is answered."""

    depth: int = 100
    """Passages kept of each first-stage ranking, and of their fusion."""
    rerank_depth: int = 50
    """Passages of the fused ranking that are re-ranked; 0 to leave it as it is."""
    fusion: str = "rrf"
    """`rrf`, `weighted`, or one retriever alone: `bm25`, `dense`."""
    rrf_k: int = 60
    """Constant of reciprocal rank fusion."""
    bm25_weight: float = 0.3
    """BM25's share in `weighted`, 0 to 1; dense has the rest."""
    k1: float | None = None
    """BM25's saturation of repeated terms, 0 to 10; None for the index's own."""
    b: float | None = None
    """BM25's weight of the passage's length, 0 to 1; None for the index's own."""
    rerank_weight: float = 1.0
    """Share of the re-ranker's score in the mixture, 0 to 1; 1 ranks by the re-ranker alone."""
    rerank_mix: str = "fused"
    """What it is mixed with: `fused`, the score of the ranking that it was given; or `dense`, each passage's cosine by
    the bi-encoder, whoever retrieved it."""

    def __post_init__(self) -> None:
        if not 1 <= self.depth <= 10_000:
            raise SettingsError(f"depth is {self.depth}; give 1 to 10,000 passages.")
        if not 0 <= self.rerank_depth <= self.depth:
            raise SettingsError(f"re-ranking depth is {self.rerank_depth}; give 0 to the depth, {self.depth}.")
        if self.fusion not in FUSIONS:
            raise SettingsError(f"fusion {self.fusion!r} is unknown; choose one of {', '.join(FUSIONS)}.")
        if self.rerank_mix not in MIXES:
            raise SettingsError(f"rerank_mix {self.rerank_mix!r} is unknown; choose one of {', '.join(MIXES)}.")
        if self.rrf_k < 0:
            raise SettingsError(f"rrf_k is {self.rrf_k}; give 0 or more (usual: 60).")
        Bm25Settings(  # refuses what BM25 does
            k1=Bm25Settings.k1 if self.k1 is None else self.k1, b=Bm25Settings.b if self.b is None else self.b
        )
        for name, value in (("bm25_weight", self.bm25_weight), ("rerank_weight", self.rerank_weight)):
            if not 0 <= value <= 1:
                raise SettingsError(f"{name} is {value}; give a number from 0 to 1.")


@dataclass(frozen=True)
class SearchTrace:
    """Everything that happened to one query."""

    query: str
    first_stage: Mapping[str, Ranking]
    """By retriever: `bm25`, `dense`."""
    fused: Ranking
    """The ranking before re-ranking."""
    reranked: Ranking | None
    """The ranking after it, of the best `rerank_depth`; None without a re-ranker."""
    logits: Mapping[PassageId, float]
    """The re-ranker's raw score of each passage it saw."""
    cosines: Mapping[PassageId, float]
    """The bi-encoder's of the same passages; empty unless the settings mix it with the re-ranker's."""
    truncated: frozenset[PassageId]
    """Passages that were cut to fit the re-ranker."""
    seconds: Mapping[str, float]
    """Time of each stage, in the order in which they ran."""
    passages: Mapping[PassageId, Passage] = field(repr=False)
    """The passages of the first `depth` places of the fused ranking."""

    @property
    def final(self) -> Ranking:
        """What a user is shown: the re-ranked list where there is one."""
        return self.fused if self.reranked is None else self.reranked

    def moves(self) -> dict[PassageId, int]:
        """Places each re-ranked passage rose (above 0) or fell (below 0)."""
        before = self.fused.ranks()
        return {passage_id: before[passage_id] - rank for passage_id, rank in self.final.ranks().items()}


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


def fuse(rankings: Mapping[str, Ranking], settings: PipelineSettings, *, depth: int) -> Ranking:
    """The first stage's rankings as one, by the settings' fusion; `depth` takes the place of theirs."""
    if settings.fusion == "rrf":
        return reciprocal_rank_fusion(rankings, depth=depth, k=settings.rrf_k)
    if settings.fusion == "weighted":
        weights = {"bm25": settings.bm25_weight, "dense": 1 - settings.bm25_weight}
        return weighted_sum(rankings, weights, depth=depth)
    return rankings[settings.fusion]
