"""How far raters agree, and the one grade that several of them give a passage."""

import math
import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

from training.judgments.feedback import Grade

Pairs = Sequence[tuple[int, int]]
"""Two raters' grades of the same passages, the first one's grade first."""


@dataclass(frozen=True)
class Agreement:
    """Two raters, compared over the passages that both judged for the same query."""

    raters: tuple[str, str]
    judged: int
    same: float
    """Share of the judged passages to which both gave the same grade."""
    kappa: float | None
    weighted: float | None
    """Quadratically weighted kappa: a grade that is off by 3 counts nine times one that is off by 1."""


def cohen_kappa(pairs: Pairs) -> float | None:
    """Cohen 1960: 1 is full agreement, 0 is what chance gives, below 0 is less than that.

    None for fewer than two pairs, and where both raters gave one and the same grade only.
    """
    return _kappa(pairs, lambda one, other: float(one != other))


def weighted_kappa(pairs: Pairs) -> float | None:
    """Cohen 1968 with quadratic weights, so that near misses count less than far ones. None as in `cohen_kappa`."""
    return _kappa(pairs, lambda one, other: float((one - other) ** 2))


def shared_pairs(grades: Sequence[Grade], one: str, other: str) -> list[tuple[int, int]]:
    """The grades of two raters for each passage, of one query and index, that both judged."""
    first, second = (
        {(grade.index, grade.normalized, grade.passage_id): grade.grade for grade in grades if grade.rater == rater}
        for rater in (one, other)
    )
    return [(value, second[judged]) for judged, value in first.items() if judged in second]


def agreements(grades: Sequence[Grade]) -> list[Agreement]:
    """Every two raters who judged a passage in common, by name."""
    compared = []
    for one, other in combinations(sorted({grade.rater for grade in grades}), 2):
        pairs = shared_pairs(grades, one, other)
        if pairs:
            same = sum(left == right for left, right in pairs) / len(pairs)
            compared.append(Agreement((one, other), len(pairs), same, cohen_kappa(pairs), weighted_kappa(pairs)))
    return compared


def _kappa(pairs: Pairs, distance: Callable[[int, int], float]) -> float | None:
    """1 less the mean distance of the pairs over the one that the raters' own grades would have by chance."""
    if len(pairs) < 2:
        return None
    observed = sum(distance(one, other) for one, other in pairs) / len(pairs)
    first, second = Counter(one for one, _ in pairs), Counter(other for _, other in pairs)
    by_chance = (
        sum(distance(one, other) * count * times for one, count in first.items() for other, times in second.items())
        / len(pairs) ** 2
    )
    return None if by_chance == 0 else 1 - observed / by_chance


def by_query(grades: Iterable[Grade]) -> dict[str, list[Grade]]:
    """Grades by normalized query; queries and grades in the order in which they come."""
    queries: dict[str, list[Grade]] = {}
    for grade in grades:
        queries.setdefault(grade.normalized, []).append(grade)
    return queries


def median_grades(grades: Iterable[Grade], *, passage: Callable[[Grade], str]) -> dict[str, int]:
    """One query's grade of each passage: the median of its raters' grades, halves rounded up.

    Of a rater who graded a passage more than once, the last grade counts. `passage` tells passages apart, by id or by
    text; they keep the order of their first grades.
    """
    by_rater: dict[str, dict[str, int]] = {}
    for grade in grades:
        by_rater.setdefault(passage(grade), {})[grade.rater] = grade.grade
    return {key: math.floor(statistics.median(values.values()) + 0.5) for key, values in by_rater.items()}
