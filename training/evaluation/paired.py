"""Decides whether one system is better than another, for the command line, the pages and the promotion gate alike.

The paired bootstrap interval of the mean difference, two-sided at 95 %, decides: if it excludes zero, one system is
better; if it contains zero, no difference is shown, which doesn't mean that there is none.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

from indexing.errors import SettingsError
from indexing.records import QueryId
from training.evaluation.significance import Interval, bootstrap_interval

Outcome = Literal["better", "worse", "no difference shown", "too few queries to tell"]
BETTER: Outcome = "better"
WORSE: Outcome = "worse"
NO_DIFFERENCE: Outcome = "no difference shown"
TOO_FEW: Outcome = "too few queries to tell"
LEAST_QUERIES = 6
"""With 5 queries, even a loss on every one has a two-sided p of 2 / 2^5 = 0.06; resampling so few values
understates the spread."""


@dataclass(frozen=True, kw_only=True)
class PairedComparison:
    """A candidate against a baseline, by one measure on the same queries."""

    measure: str
    candidate_mean: float
    baseline_mean: float
    difference: float
    """Mean over the queries of the candidate's value minus the baseline's."""
    interval: Interval
    """95 % bootstrap interval of that mean."""
    outcome: Outcome
    queries: int

    def sentence(self, candidate: str, baseline: str) -> str:
        """The comparison in words, without a full stop."""
        return (
            f"{self.measure} of {candidate} is {self.candidate_mean:.4f}, of {baseline} {self.baseline_mean:.4f}, over "
            f"{self.queries} queries: {self.change()}"
        )

    def change(self) -> str:
        """The difference with its interval and outcome."""
        low, high = self.interval
        return f"{self.difference:+.4f} (95 %: {low:+.4f} to {high:+.4f}), {self.outcome}"


def compare_paired(
    candidate: Mapping[QueryId, float], baseline: Mapping[QueryId, float], *, measure: str
) -> PairedComparison:
    """Compare the values of two systems by query.

    Raises:
        SettingsError: the queries differ, or there are none.
    """
    if candidate.keys() != baseline.keys() or not baseline:
        raise SettingsError(
            f"The candidate was measured on {len(candidate)} queries, the baseline on {len(baseline)}; a comparison "
            "needs the same ones, and at least one."
        )
    differences = [candidate[query] - baseline[query] for query in baseline]
    interval = bootstrap_interval(differences)
    return PairedComparison(
        measure=measure,
        candidate_mean=fmean(candidate.values()),
        baseline_mean=fmean(baseline.values()),
        difference=fmean(differences),
        interval=interval,
        outcome=_outcome(interval, queries=len(differences)),
        queries=len(differences),
    )


def _outcome(interval: Interval, *, queries: int) -> Outcome:
    if queries < LEAST_QUERIES:
        return TOO_FEW
    if interval.low > 0:
        return BETTER
    return WORSE if interval.high < 0 else NO_DIFFERENCE
