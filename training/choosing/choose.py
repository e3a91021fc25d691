"""Chooses on one half of the queries, and compares what was chosen on the other.

At equal quality the cheaper pipeline is chosen: equal is what lies within one standard error of the best one's
difference, by query (the rule of Breiman et al. 1984 for trees).
"""

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from indexing.records import QueryId
from training.choosing.contenders import Contender
from training.choosing.grid import GridValues, Values
from training.evaluation.paired import PairedComparison, compare_paired
from training.evaluation.settings import MAIN_MEASURE
from training.evaluation.significance import holm, randomization_test


@dataclass(frozen=True)
class Halves:
    """The queries that pipelines are chosen by, and those that they are compared on."""

    choosing: tuple[QueryId, ...]
    comparing: tuple[QueryId, ...]

    @classmethod
    def of(cls, queries: Iterable[QueryId], *, seed: int = 0) -> "Halves":
        """Split by a hash of seed and id, so that a query's half hardly depends on which others there are."""
        order = sorted(queries, key=lambda query: hashlib.sha256(f"{seed}:{query}".encode()).digest())
        middle = len(order) // 2
        return cls(tuple(order[:middle]), tuple(order[middle:]))


@dataclass(frozen=True, kw_only=True)
class Compared:
    """A pipeline against the baseline, on the comparing half."""

    paired: PairedComparison
    p: float
    """Of the randomization test."""
    holm: float
    """The same after Holm's correction for all that are compared with this baseline."""

    def as_json(self) -> dict[str, Any]:
        """All figures."""
        return {
            "difference": self.paired.difference,
            "interval": list(self.paired.interval),
            "outcome": self.paired.outcome,
            "queries": self.paired.queries,
            "p_randomisation": self.p,
            "holm_randomisation": self.holm,
        }


def pick(values: Values, costs: Sequence[float]) -> int:
    """The row of the cheapest pipeline that is as good as the best, (pipelines, queries); the better one if costs tie.

    A pipeline is as good if the best one's mean difference from it is at most that difference's standard error.
    """
    means = values.mean(axis=1)  # (pipelines,)
    best = int(means.argmax())
    differences = values[best] - values  # (pipelines, queries)
    queries = values.shape[1]
    spread = differences.std(axis=1, ddof=1) if queries > 1 else np.zeros(len(values))
    equal = differences.mean(axis=1) <= spread / math.sqrt(queries) + 1e-12
    return min(np.flatnonzero(equal).tolist(), key=lambda row: (costs[row], -round(float(means[row]), 9), row))


def choose(grid: GridValues, queries: Sequence[QueryId], rows: Sequence[int]) -> Contender:
    """The pipeline to serve among these rows of a grid, by these queries."""
    columns = [grid.queries.index(query) for query in queries]
    values = grid.values[np.ix_(rows, columns)]  # (rows, queries)
    return grid.contenders[rows[pick(values, [grid.contenders[row].pairs for row in rows])]]


def compare_with(
    baseline: Mapping[QueryId, float], others: Mapping[str, Mapping[QueryId, float]]
) -> dict[str, Compared]:
    """Each of several pipelines against one, by nDCG@10 of the same queries.

    Raises:
        SettingsError: the queries differ, or there are none.
    """
    paired = {name: compare_paired(values, baseline, measure=MAIN_MEASURE) for name, values in others.items()}
    p = {
        name: randomization_test([values[query] - baseline[query] for query in baseline])
        for name, values in others.items()
    }
    corrected = holm(p)
    return {name: Compared(paired=paired[name], p=p[name], holm=corrected[name]) for name in others}
