"""How far raters agree, and how the grades of several raters become one."""

import math
import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

from training.judgments.feedback import Grade

Pairs = Sequence[tuple[int, int]]
"""Two raters' grades of the same passages, the first rater's grade first."""


@dataclass(frozen=True)
class Agreement:
    """Two raters, compared over the passages that both judged for the same query."""

    raters: tuple[str, str]
    judged: int
    same: float
    """Share of these passages to which both gave the same grade."""
    kappa: float | None
    weighted: float | None
    """Quadratically weighted kappa: grades 3 apart count nine times as much as grades 1 apart."""


def cohen_kappa(pairs: Pairs) -> float | None:
    """Cohen's kappa (1960): 1 is full agreement, 0 is chance level, below 0 is worse than chance.

    None for fewer than two pairs, and if both raters gave every passage the same single grade.
    """
    return _kappa(pairs, lambda first, second: float(first != second))


def weighted_kappa(pairs: Pairs) -> float | None:
    """Weighted kappa (Cohen 1968) with quadratic weights, so near misses count less; None as in `cohen_kappa`."""
    return _kappa(pairs, lambda first, second: float((first - second) ** 2))


def shared_pairs(grades: Sequence[Grade], rater: str, other: str) -> list[tuple[int, int]]:
    """The two raters' grades of each passage that both judged for the same query and index."""
    first, second = (
        {(grade.index, grade.normalized, grade.passage_id): grade.grade for grade in grades if grade.rater == name}
        for name in (rater, other)
    )
    return [(value, second[judged]) for judged, value in first.items() if judged in second]


def agreements(grades: Sequence[Grade]) -> list[Agreement]:
    """The agreement of each pair of raters who judged a passage in common, sorted by name."""
    compared = []
    for raters in combinations(sorted({grade.rater for grade in grades}), 2):
        pairs = shared_pairs(grades, *raters)
        if pairs:
            same = sum(first == second for first, second in pairs) / len(pairs)
            compared.append(Agreement(raters, len(pairs), same, cohen_kappa(pairs), weighted_kappa(pairs)))
    return compared


def _kappa(pairs: Pairs, distance: Callable[[int, int], float]) -> float | None:
    """1 - observed / by chance: the mean distance of the pairs, and its expectation if grades were paired at random."""
    if len(pairs) < 2:
        return None
    observed = sum(distance(first, second) for first, second in pairs) / len(pairs)
    firsts, seconds = Counter(first for first, _ in pairs), Counter(second for _, second in pairs)
    by_chance = (
        sum(
            distance(first, second) * count * other_count
            for first, count in firsts.items()
            for second, other_count in seconds.items()
        )
        / len(pairs) ** 2
    )
    return None if by_chance == 0 else 1 - observed / by_chance


def by_query(grades: Iterable[Grade]) -> dict[str, list[Grade]]:
    """Grades by normalized query; queries and grades keep their order."""
    queries: dict[str, list[Grade]] = {}
    for grade in grades:
        queries.setdefault(grade.normalized, []).append(grade)
    return queries


def median_grades(grades: Iterable[Grade], *, passage: Callable[[Grade], str]) -> dict[str, int]:
    """The grade of each passage of one query: the median over its raters, with halves rounded up.

    If a rater graded a passage more than once, the last grade counts. `passage` returns what identifies a passage, its
    id or its text; passages keep the order of their first grades.
    """
    return {
        key: math.floor(statistics.median(values.values()) + 0.5) for key, values in _by_rater(grades, passage).items()
    }


def disputed(grades: Iterable[Grade], *, passage: Callable[[Grade], str]) -> list[str]:
    """The passages of one query that by the last grade of one rater are relevant, and by another's are not."""
    by_rater = _by_rater(grades, passage)
    return [key for key, values in by_rater.items() if min(values.values()) <= 0 < max(values.values())]


def _by_rater(grades: Iterable[Grade], passage: Callable[[Grade], str]) -> dict[str, dict[str, int]]:
    """By passage, each rater's last grade."""
    found: dict[str, dict[str, int]] = {}
    for grade in grades:
        found.setdefault(passage(grade), {})[grade.rater] = grade.grade
    return found
