"""Fuses several rankings of one query into one."""

from collections.abc import Mapping

import numpy as np

from indexing.errors import SettingsError
from indexing.records import Floats, PassageId, Ranking
from search.settings import PipelineSettings


def reciprocal_rank_fusion(rankings: Mapping[str, Ranking], *, depth: int, k: int = 60) -> Ranking:
    """Sum of 1 / (k + rank) over the rankings that contain a passage (Cormack et al. 2009, k=60)."""
    scores: dict[PassageId, float] = {}
    for ranking in rankings.values():
        for rank, passage_id, _ in ranking:
            scores[passage_id] = scores.get(passage_id, 0.0) + 1 / (k + rank)
    return Ranking.sort(scores.items(), depth=depth)


def weighted_sum(rankings: Mapping[str, Ranking], weights: Mapping[str, float], *, depth: int) -> Ranking:
    """Sum of weight times min-max normalized score; a passage that a ranking lacks gets 0 from it.

    Raises:
        SettingsError: a ranking has no weight, or a weight is below 0.
    """
    scores: dict[PassageId, float] = {}
    for name, ranking in rankings.items():
        if weights.get(name, -1.0) < 0:
            raise SettingsError(f"Fusion needs a weight of 0 or more for {name!r}; the weights are {dict(weights)}.")
        for passage_id, value in zip(ranking.passage_ids, min_max(ranking.scores), strict=True):
            scores[passage_id] = scores.get(passage_id, 0.0) + weights[name] * float(value)
    return Ranking.sort(scores.items(), depth=depth)


def interpolate(reranked: Ranking, first_stage: Ranking, *, weight: float) -> Ranking:
    """The re-ranker's score times `weight` (0 to 1) plus the first stage's times the rest, both standardized.

    Only the passages of `reranked` take part; one that `first_stage` lacks gets its lowest score.
    """
    if not 0 <= weight <= 1:
        raise SettingsError(f"Interpolation weight {weight} must be from 0 (first stage) to 1 (re-ranker).")
    if not len(reranked):
        return reranked
    first_scores = dict(zip(first_stage.passage_ids, first_stage.scores, strict=True))
    lowest = first_stage.scores[-1] if len(first_stage) else 0.0
    first = np.array([first_scores.get(passage_id, lowest) for passage_id in reranked.passage_ids], dtype=np.float32)
    mixed = weight * standardize(reranked.scores) + (1 - weight) * standardize(first)  # (depth,) float32
    return Ranking.sort(zip(reranked.passage_ids, mixed.tolist(), strict=True))


def min_max(scores: Floats) -> Floats:
    """Scores scaled to 0..1; all 1 if they are equal."""
    if not len(scores):
        return scores
    low, high = float(scores.min()), float(scores.max())
    if high == low:
        return np.ones_like(scores)
    return np.asarray((scores - low) / (high - low), dtype=np.float32)


def standardize(scores: Floats) -> Floats:
    """Scores with mean 0 and standard deviation 1; all 0 if they are equal."""
    deviation = float(scores.std())
    return np.asarray((scores - scores.mean()) / (deviation or 1.0), dtype=np.float32)


def fuse(rankings: Mapping[str, Ranking], settings: PipelineSettings, *, depth: int) -> Ranking:
    """Fuse the first stage's rankings by the settings' method; `depth` replaces the settings' own."""
    if settings.fusion == "rrf":
        return reciprocal_rank_fusion(rankings, depth=depth, k=settings.rrf_k)
    if settings.fusion == "weighted":
        weights = {"bm25": settings.bm25_weight, "dense": 1 - settings.bm25_weight}
        return weighted_sum(rankings, weights, depth=depth)
    return rankings[settings.fusion]
