"""Fits a curve from scores to probabilities, isotonic or Platt's, and reduces it to points with their counts."""

import math
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from sklearn.isotonic import IsotonicRegression  # type: ignore[import-untyped]  # scikit-learn ships no types
from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]  # scikit-learn ships no types

from search.calibration.curve import Knot
from training.evaluation.significance import Interval

Numbers = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

FEWEST_IN_REGION = 20  # passages, so that an interval says something
MOST_REGIONS = 20  # of Platt's curve
Z = 1.959964  # standard normal quantile of a two-sided 95 %
WEAK_PENALTY = 1e6  # scikit-learn's C: next to none


class Region(NamedTuple):
    """Neighboring scores, and how many of their passages are relevant."""

    lowest: float
    highest: float
    passages: int
    relevant: int

    def joined(self, other: "Region") -> "Region":
        """Both, as one region."""
        return Region(
            min(self.lowest, other.lowest),
            max(self.highest, other.highest),
            self.passages + other.passages,
            self.relevant + other.relevant,
        )

    @property
    def rate(self) -> float:
        """The share of relevant passages by Laplace's rule, (k + 1) / (n + 2): never 0 or 1."""
        return (self.relevant + 1) / (self.passages + 2)


def wilson(relevant: int, passages: int) -> Interval:
    """The interval of 95 % of a share (Wilson 1927), as if passages were independent."""
    share, square = relevant / passages, Z**2 / passages
    middle = (share + square / 2) / (1 + square)
    half = Z * math.sqrt(share * (1 - share) / passages + square / (4 * passages)) / (1 + square)
    return Interval(max(0.0, middle - half), min(1.0, middle + half))


def fit_isotonic(scores: Numbers, relevant: Flags) -> tuple[Knot, ...]:
    """The steps of isotonic regression (Zadrozny and Elkan 2002), each of at least FEWEST_IN_REGION passages."""
    order = np.argsort(scores, kind="stable")
    steps = IsotonicRegression(out_of_bounds="clip").fit(scores, relevant).predict(scores[order])
    starts = [0, *(np.flatnonzero(np.diff(steps)) + 1).tolist()]
    regions = _regions(scores[order], relevant[order], starts)
    knots = []
    for region in _rising(_large(regions)):
        ends = dict.fromkeys((region.lowest, region.highest))
        knots += [_knot(score, region.rate, region) for score in ends]
    return tuple(knots)


def fit_platt(scores: Numbers, relevant: Flags) -> tuple[Knot, ...]:
    """A sigmoid of the score (Platt 1999, with its targets), at the ends and the middles of regions of equal counts."""
    order = np.argsort(scores, kind="stable")
    count = min(max(len(scores) // FEWEST_IN_REGION, 1), MOST_REGIONS)
    starts = [int(part[0]) for part in np.array_split(np.arange(len(scores)), count)]
    regions = _regions(scores[order], relevant[order], starts)
    sigmoid = _sigmoid(scores, relevant)
    knots = dict[float, Knot]()
    for place, region in enumerate(regions):
        at = [region.lowest] if place == 0 else []
        at += [(region.lowest + region.highest) / 2]
        at += [region.highest] if place == len(regions) - 1 else []
        knots |= {score: _knot(score, sigmoid(score), region) for score in at}
    return tuple(knots[score] for score in sorted(knots))


CURVES: Mapping[str, Callable[[Numbers, Flags], tuple[Knot, ...]]] = {"isotonic": fit_isotonic, "platt": fit_platt}


def fit_weights(values: Numbers, relevant: Flags) -> Numbers:
    """How much each of several scores, (passages, scores), counts by logistic regression; none below 0.

    A score that counts against relevance among these passages only corrects another one, and would mislead where
    nothing like them is in the list; so it gets 0.
    """
    spread = np.where(values.std(axis=0) > 0, values.std(axis=0), 1.0)
    if values.shape[1] == 1 or len(set(relevant.tolist())) == 1:
        return 1 / spread if values.shape[1] > 1 else np.ones(1)
    model = LogisticRegression(C=WEAK_PENALTY, max_iter=1000).fit(values / spread, relevant)
    weights: Numbers = np.maximum(model.coef_[0] / spread, 0.0)  # (scores,)
    return weights if weights.any() else 1 / spread


def log_loss(probabilities: Numbers, relevant: Flags) -> Numbers:
    """(passages,) in nats."""
    right = np.where(relevant, probabilities, 1 - probabilities)
    losses: Numbers = -np.log(np.clip(right, 1e-12, 1))
    return losses


def calibration_error(probabilities: Numbers, relevant: Flags, *, bins: int = 10) -> float:
    """Expected calibration error: over bins of equal counts, the mean distance of probability and share of relevant."""
    if not len(probabilities):
        return 0.0
    order = np.argsort(probabilities, kind="stable")
    parts = [part for part in np.array_split(order, bins) if len(part)]
    return float(sum(abs((probabilities[part] - relevant[part]).sum()) for part in parts) / len(probabilities))


def _sigmoid(scores: Numbers, relevant: Flags) -> Callable[[float], float]:
    """The fitted sigmoid; level where the score says nothing, or the opposite."""
    positives, passages = int(relevant.sum()), len(relevant)
    spread = float(scores.std()) or 1.0
    standard = (scores - scores.mean()) / spread
    yes, no = (positives + 1) / (positives + 2), 1 / (passages - positives + 2)
    target = np.where(relevant, yes, no)
    model = LogisticRegression(C=WEAK_PENALTY, max_iter=1000).fit(
        np.concatenate([standard, standard])[:, None],
        np.repeat([1, 0], passages),
        sample_weight=np.concatenate([target, 1 - target]),
    )
    slope, intercept = float(model.coef_[0][0]), float(model.intercept_[0])
    if slope <= 0:
        return lambda _: (positives + 1) / (passages + 2)
    return lambda score: 1 / (1 + math.exp(-(intercept + slope * (score - float(scores.mean())) / spread)))


def _regions(scores: Numbers, relevant: Flags, starts: Iterable[int]) -> list[Region]:
    """The regions that begin at these places of scores in ascending order."""
    begin = list(starts)
    return [
        Region(float(scores[start]), float(scores[end - 1]), end - start, int(relevant[start:end].sum()))
        for start, end in zip(begin, [*begin[1:], len(scores)], strict=True)
    ]


def _large(regions: list[Region]) -> list[Region]:
    """The regions, small ones joined with the neighbor whose rate is nearer."""
    found = list(regions)
    while len(found) > 1 and min(region.passages for region in found) < FEWEST_IN_REGION:
        place = min(range(len(found)), key=lambda at: found[at].passages)
        sides = [side for side in (place - 1, place + 1) if 0 <= side < len(found)]
        side = min(sides, key=lambda at: abs(found[at].rate - found[place].rate))
        first, last = sorted((place, side))
        found[first : last + 1] = [found[first].joined(found[last])]
    return found


def _rising(regions: list[Region]) -> list[Region]:
    """The regions, neighbors joined until their rates rise."""
    found: list[Region] = []
    for region in regions:
        found.append(region)
        while len(found) > 1 and found[-2].rate >= found[-1].rate:
            found[-2:] = [found[-2].joined(found[-1])]
    return found


def _knot(score: float, probability: float, region: Region) -> Knot:
    """A point whose interval holds its probability, by however much a sigmoid misses the region's share."""
    interval = wilson(region.relevant, region.passages)
    return Knot(
        score=score,
        probability=probability,
        low=min(interval.low, probability),
        high=max(interval.high, probability),
        passages=region.passages,
        relevant=region.relevant,
    )
