"""Evaluates a whole grid of pipelines on gathered queries, by arithmetic on arrays alone.

A re-ranking base (first stage, order, depth, re-ranker) is ranked once for all mixtures and shares, which are rows of
one matrix. Everything is computed in the order and precision of `search`, so that ties fall alike.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from indexing.progress import Progress, silent
from indexing.records import Floats, PassageId, Qrels, QueryId, Ranking
from search.fuse import standardize
from search.served import LATE
from search.settings import FirstScore
from training.choosing.contenders import Contender, Grid
from training.choosing.gathered import GatheredQuery

CUTOFF = 10
DISCOUNTS = 1 / np.log2(np.arange(2, CUTOFF + 2))  # (10,) float64
Values = NDArray[np.float64]
_Key: TypeAlias = tuple[str, int, str, int, float]


@dataclass(frozen=True)
class GridValues:
    """nDCG@10 of each pipeline for each query."""

    contenders: Sequence[Contender]
    queries: Sequence[QueryId]
    values: Values
    """(contenders, queries)."""

    def of(self, row: int) -> dict[QueryId, float]:
        """One pipeline's value by query."""
        return dict(zip(self.queries, self.values[row].tolist(), strict=True))


def grid_values(
    gathered: Sequence[GatheredQuery], qrels: Qrels, grid: Grid, *, progress: Progress = silent
) -> GridValues:
    """nDCG@10 of every pipeline of the grid for every gathered query."""
    plain, bases = grid.first_stage_only(), list(grid.bases())
    contenders = [*plain, *(variant for base in bases for variant in grid.variants(base))]
    values = np.empty((len(contenders), len(gathered)))  # (contenders, queries) float64
    for column, query in enumerate(gathered):
        arrays = _Arrays(query, qrels[query.query.id])
        rows = [arrays.ndcg(arrays.fused(contender)[None, :CUTOFF]) for contender in plain]
        rows += [arrays.ndcg(arrays.reranked(base, grid)) for base in bases]
        values[:, column] = np.concatenate(rows)
        progress("evaluate", 1, len(gathered))
    return GridValues(contenders, [query.query.id for query in gathered], values)


class _Arrays:
    """One query's passages by their place in the order of ids, so that a stable sort breaks ties as `Ranking` does."""

    def __init__(self, query: GatheredQuery, grades: Mapping[PassageId, int]) -> None:
        self._query = query
        self._ids = sorted(query.cosines)
        self._place = {passage_id: place for place, passage_id in enumerate(self._ids)}
        self._gains = np.array([max(grades.get(name, 0), 0) for name in self._ids] + [0], dtype=np.float64)
        best = np.sort([max(grade, 0) for grade in grades.values()])[::-1][:CUTOFF]
        self._ideal = float(best @ DISCOUNTS[: len(best)])
        self._fused: dict[_Key, NDArray[np.int64]] = {}
        self._scores: dict[_Key, Floats] = {}
        self._by_reranker = {name: self._array(logits) for name, logits in query.logits.items()}

    def ndcg(self, places: NDArray[np.int64]) -> Values:
        """nDCG@10 of each row of places, (rows,); -1, the last place, holds no passage."""
        if not self._ideal:
            return np.zeros(len(places))
        gains = self._gains[places[:, :CUTOFF]]  # (rows, up to 10)
        return np.asarray(gains @ DISCOUNTS[: gains.shape[1]] / self._ideal, dtype=np.float64)

    def fused(self, contender: Contender) -> NDArray[np.int64]:
        """The places of the list that a pipeline re-ranks, best first."""
        key = _first_stage_of(contender)
        if key not in self._fused:
            ranking = self._query.fused(contender)
            self._fused[key] = np.array([self._place[name] for name in ranking.passage_ids], dtype=np.int64)
            self._scores[key] = self._spread(self._fused[key], ranking)
        return self._fused[key]

    def reranked(self, base: Contender, grid: Grid) -> NDArray[np.int64]:
        """The first ten places for each variant of a base, (variants, up to 10)."""
        mixtures = grid.mixtures(base.reranker)
        fused = self.fused(base)
        by_fused = self._scores[_first_stage_of(base)]
        candidates = self._cut(fused, base)
        if not len(candidates):
            return np.full((len(mixtures) + 1, 1), -1)
        by_id = np.sort(candidates)
        order = np.argsort(-self._of(base.reranker, by_id), kind="stable")
        reranked = by_id[order]  # the candidates, by the re-ranker's logit
        logits = standardize(self._of(base.reranker, reranked))
        others = {mix: standardize(self._score(mix, by_fused, reranked)) for mix, _ in mixtures}
        weights = np.array([[share] for _, share in mixtures], dtype=np.float32).reshape(-1, 1)
        rest = np.array([[1 - share] for _, share in mixtures], dtype=np.float32).reshape(-1, 1)
        mixed = np.empty((len(mixtures) + 1, len(order)), dtype=np.float32)  # (variants, depth) float32, by id
        mixed[0, order] = self._of(base.reranker, reranked)
        if mixtures:
            matrix = np.stack([others[mix] for mix, _ in mixtures])  # (mixtures, depth) float32
            mixed[1:, order] = weights * logits + rest * matrix
        return np.asarray(by_id[np.argsort(-mixed, axis=1, kind="stable")[:, :CUTOFF]])

    def _cut(self, fused: NDArray[np.int64], base: Contender) -> NDArray[np.int64]:
        settings = base.settings
        if settings.rerank_order == "fused":
            return fused[: settings.rerank_depth]
        by_id = np.sort(fused)
        scores = self._score(settings.rerank_order, self._cosines, by_id)
        return by_id[np.argsort(-scores, kind="stable")[: settings.rerank_depth]]

    def _score(self, by: FirstScore, by_fused: Floats, places: NDArray[np.int64]) -> Floats:
        if by == "late":
            return self._of(LATE, places)
        return (by_fused if by == "fused" else self._cosines)[places]

    def _of(self, reranker: str, places: NDArray[np.int64]) -> Floats:
        scores = self._by_reranker[reranker][places]
        if np.isnan(scores).any():
            raise ValueError(f"query {self._query.query.id}: {reranker} didn't read every passage that it orders")
        return scores

    @cached_property
    def _cosines(self) -> Floats:
        return self._array(self._query.cosines)

    def _array(self, scores: Mapping[PassageId, float]) -> Floats:
        return np.array([scores.get(name, np.nan) for name in self._ids], dtype=np.float32)  # (passages,)

    def _spread(self, places: NDArray[np.int64], ranking: Ranking) -> Floats:
        spread = np.full(len(self._ids), np.nan, dtype=np.float32)  # (passages,)
        spread[places] = ranking.scores
        return spread


def _first_stage_of(contender: Contender) -> _Key:
    settings = contender.settings
    return (contender.run, settings.depth, settings.fusion, settings.rrf_k, settings.bm25_weight)
