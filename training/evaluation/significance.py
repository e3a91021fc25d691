"""Whether one system is better than another on the same queries: paired tests, Holm's correction, intervals.

Every function takes one number per query: the difference of the two systems, or one system's value.
"""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special  # type: ignore[import-untyped]  # scipy ships no types

from indexing.errors import SettingsError

EXACT_QUERIES = 16  # differing queries up to which all 2^n assignments of signs are tried
RANDOMIZATIONS = 100_000
BOOTSTRAP_SAMPLES = 10_000
NUMBERS_AT_ONCE = 4_000_000  # drawn in one block, 32 MB of float64
TIE = 1e-4  # a difference up to this doesn't show in a table with four decimal places


class Interval(NamedTuple):
    """A confidence interval, from `low` to `high`."""

    low: float
    high: float


class Outcomes(NamedTuple):
    """Numbers of queries on which one system is better than, worse than, and as good as another."""

    wins: int
    losses: int
    ties: int


def randomization_test(differences: Sequence[float], *, seed: int = 0) -> float:
    """Two-sided p of Fisher's paired randomisation test of the mean difference.

    The share of sign assignments, one sign for each query's difference, whose sum is at least as far from 0 as the
    observed one: of all assignments if at most EXACT_QUERIES queries differ, else of RANDOMIZATIONS that are drawn with
    the seed, in which case the observed one counts as one more (so p is never 0).
    """
    values = np.array(differences, dtype=np.float64)  # (queries,)
    values = values[values != 0]  # 0 has no sign to change
    slack = 1e-9 * float(np.abs(values).sum())  # sums of the same numbers in another order differ by rounding
    observed = abs(float(values.sum())) - slack
    if len(values) <= EXACT_QUERIES:
        ways = np.arange(2 ** len(values))[:, None]  # (2^queries, 1)
        signs = 1.0 - 2.0 * (ways >> np.arange(len(values)) & 1)  # (2^queries, queries)
        return float(np.mean(np.abs(signs @ values) >= observed))
    rng = np.random.default_rng(seed)
    block = max(1, NUMBERS_AT_ONCE // len(values))
    extreme = 0
    for start in range(0, RANDOMIZATIONS, block):
        shape = (min(block, RANDOMIZATIONS - start), len(values))
        signs = 1.0 - 2.0 * rng.integers(0, 2, size=shape, dtype=np.int8)  # (block, queries)
        extreme += int(np.count_nonzero(np.abs(signs @ values) >= observed))
    return (extreme + 1) / (RANDOMIZATIONS + 1)


def t_test(differences: Sequence[float]) -> float:
    """Two-sided p of Student's paired t test; 1 for fewer than two queries, which show nothing."""
    values = np.array(differences, dtype=np.float64)  # (queries,)
    if len(values) < 2 or not values.any():
        return 1.0
    error = float(values.std(ddof=1)) / math.sqrt(len(values))
    if error == 0:  # every query differs by the same
        return 0.0
    return float(2 * special.stdtr(len(values) - 1, -abs(float(values.mean())) / error))


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """Correct each p for the number of tests (Holm 1979): below 0.05 is significant at 5 % over all of them."""
    corrected: dict[str, float] = {}
    largest = 0.0
    for place, name in enumerate(sorted(p_values, key=lambda name: p_values[name])):
        largest = max(largest, min(1.0, (len(p_values) - place) * p_values[name]))
        corrected[name] = largest
    return {name: corrected[name] for name in p_values}


def bootstrap_interval(values: Sequence[float], *, level: float = 0.95, seed: int = 0) -> Interval:
    """The interval that contains the means of a `level` share of BOOTSTRAP_SAMPLES samples of the queries.

    Samples are drawn with replacement.

    Raises:
        SettingsError: there are no values, or the level isn't between 0 and 1.
    """
    return _interval(_resampled(values, level=level, seed=seed), level)


def interval_over_sets(sets: Sequence[Sequence[float]], *, level: float = 0.95, seed: int = 0) -> Interval:
    """The same of the mean of the sets' means, with the samples drawn from each set by itself.

    Raises:
        SettingsError: there is no set, or one without values, or the level isn't between 0 and 1.
    """
    means = [_resampled(values, level=level, seed=seed + place) for place, values in enumerate(sets)]
    if not means:
        raise SettingsError("No interval over no set; give at least one.")
    return _interval(np.mean(means, axis=0), level)


def _resampled(values: Sequence[float], *, level: float, seed: int) -> NDArray[np.float64]:
    """(BOOTSTRAP_SAMPLES,) means of samples drawn with replacement."""
    if not len(values) or not 0 < level < 1:
        raise SettingsError(f"No interval of level {level} over {len(values)} queries; give values, and 0 < level < 1.")
    sample = np.array(values, dtype=np.float64)  # (queries,)
    rng = np.random.default_rng(seed)
    block = max(1, NUMBERS_AT_ONCE // len(sample))
    return np.concatenate(
        [
            rng.choice(sample, size=(min(block, BOOTSTRAP_SAMPLES - start), len(sample))).mean(axis=1)
            for start in range(0, BOOTSTRAP_SAMPLES, block)
        ]
    )


def _interval(means: NDArray[np.float64], level: float) -> Interval:
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(low), float(high))


def outcome(difference: float, *, tie: float = TIE) -> str:
    """`win`, `loss`, or `tie` if the difference is at most `tie` either way."""
    if abs(difference) <= tie:
        return "tie"
    return "win" if difference > 0 else "loss"


def outcomes(differences: Sequence[float], *, tie: float = TIE) -> Outcomes:
    """Count wins, losses and ties."""
    names = [outcome(difference, tie=tie) for difference in differences]
    return Outcomes(names.count("win"), names.count("loss"), names.count("tie"))
