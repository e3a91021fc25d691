"""A calibration: what share of passages with a score was relevant, and below what a list doesn't seem to answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from indexing.errors import SettingsError
from search.settings import PipelineSettings

SHOWN = 10  # first places of a list, over which a calibration is fitted and which decide whether anything answers
SCORES = ("logit", "late", "cosine", "bm25")
"""Scores that can be compared between queries, by their names in a trace; a place in a list, or what is scaled within
one, can't."""


class Estimate(NamedTuple):
    """How probable it is that a passage is relevant, with an interval of 95 %; all from 0 to 1."""

    probability: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Knot:
    """One point of the curve, and the judged passages around it."""

    score: float
    probability: float
    low: float
    """Wilson's interval of 95 % of the relevant passages among those of the region."""
    high: float
    passages: int
    """Passages of judged queries whose scores lie in the region of this point."""
    relevant: int

    def __post_init__(self) -> None:
        if not 0 <= self.low <= self.probability <= self.high <= 1:
            raise SettingsError(
                f"a point of a calibration has the probability {self.probability} with the interval {self.low} to "
                f"{self.high}; calibrate again."
            )


@dataclass(frozen=True)
class CalibratedPipeline:
    """What a calibration holds for."""

    settings: PipelineSettings
    fingerprint: str
    """Of the re-ranker's files; `none` without a re-ranker, empty for an object that no files tell from others."""
    build: str


def effective(settings: PipelineSettings) -> PipelineSettings:
    """The settings without those that change nothing: a re-ranker's where nothing is re-ranked, and the like."""
    if settings.rerank_depth == 0:
        usual = PipelineSettings()
        settings = replace(settings, rerank_order=usual.rerank_order, rerank_weight=1.0, rerank_stop=None)
    if settings.rerank_weight == 1:
        settings = replace(settings, rerank_mix="fused")
    return settings


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """A piecewise-linear curve from a score to a probability, and the pipeline that it holds for.

    A field's name is its name in the file.
    """

    weights: Mapping[str, float]
    """The score is the sum of these of `SCORES`, each times its weight."""
    knots: tuple[Knot, ...]
    """By score; before the first and after the last the curve is level."""
    cut: float
    """A list whose best probability lies below this doesn't seem to answer its query."""
    curve: str = ""
    """What was fitted: `isotonic` or `platt`."""
    pipeline: Mapping[str, Any] = field(default_factory=dict)
    """The settings of the pipeline, as `PipelineSettings` names them."""
    reranker: str = ""
    """The re-ranker's name, for readers."""
    fingerprint: str = ""
    """Of the re-ranker's files."""
    build: str = ""
    """Id of the index's build."""
    split: str = ""
    """The judged queries that it was fitted on."""
    queries: int = 0
    passages: int = 0
    """Passages shown in the first ten places for these queries."""
    relevant: int = 0
    minimum_grade: int = 1
    """Least grade that counted as relevant."""
    figures: Mapping[str, Any] = field(default_factory=dict)
    """What chose it, in numbers."""
    at: str = ""
    """UTC, ISO 8601."""

    def __post_init__(self) -> None:
        scores = [knot.score for knot in self.knots]
        if not scores or any(first >= second for first, second in pairwise(scores)):
            raise SettingsError("a calibration's points must rise by score; calibrate again.")
        if not self.weights or not self.weights.keys() <= set(SCORES):
            raise SettingsError(f"a calibration's scores are {sorted(self.weights)}, not of {', '.join(SCORES)}.")
        PipelineSettings(**self.pipeline)

    def estimate(self, scores: Mapping[str, float]) -> Estimate | None:
        """The probability for a passage with these scores; None if one that is needed is missing."""
        if not self.weights.keys() <= scores.keys():
            return None
        score = sum(weight * scores[name] for name, weight in self.weights.items())
        at = [knot.score for knot in self.knots]
        return Estimate(
            probability=float(np.interp(score, at, [knot.probability for knot in self.knots])),
            low=float(np.interp(score, at, [knot.low for knot in self.knots])),
            high=float(np.interp(score, at, [knot.high for knot in self.knots])),
        )

    def differs_from(self, pipeline: CalibratedPipeline) -> str:
        """In what this pipeline differs from the one that it was fitted on, in words; empty if it is the same."""
        if effective(PipelineSettings(**self.pipeline)) != effective(pipeline.settings):
            return "with other settings"
        if self.fingerprint != pipeline.fingerprint or not pipeline.fingerprint:
            return "with another re-ranker, or another version of it"
        return "" if self.build == pipeline.build else f"on build {self.build}, now {pipeline.build}"
