"""Whether a version may be promoted: no worse than the promoted one on dev queries, and every expectation holds."""

from collections.abc import Mapping
from dataclasses import dataclass

from indexing.errors import SettingsError
from indexing.records import QueryId
from training.evaluation.candidates import MEASURE
from training.evaluation.significance import Interval, bootstrap_interval, randomisation_test

LEVEL = 0.05  # of the one-sided test
LEAST_QUERIES = 5  # with 4, even a loss on each has p = 1/2^4 = 0.06: nothing could be refused
BETTER, NOT_WORSE, WORSE, UNTOLD = "better", "not worse", "significantly worse", "too few queries to tell"


@dataclass(frozen=True)
class Comparison:
    """Candidate less promoted, by nDCG@10 on the same queries."""

    outcome: str
    """`better` or `significantly worse` where a one-sided test at 5 % says so; else `not worse`; or that there are
    fewer than LEAST_QUERIES queries."""
    candidate_mean: float
    promoted_mean: float
    difference: float
    interval: Interval
    """95 % bootstrap interval of the mean difference."""
    p: float
    """One-sided, by the paired randomisation test: how often chance makes the difference as low as this."""
    queries: int
    measure: str = MEASURE

    def sentence(self, candidate: str, promoted: str) -> str:
        """The comparison in words."""
        return (
            f"{self.measure} of {candidate} is {self.candidate_mean:.4f}, of {promoted} {self.promoted_mean:.4f}, over "
            f"{self.queries} queries: {self.difference:+.4f} ({self.interval.low:+.4f} to {self.interval.high:+.4f}), "
            f"p {self.p:.2g}, {self.outcome}"
        )


@dataclass(frozen=True)
class Verdict:
    """What speaks for and against a version."""

    candidate: str
    against: str
    """Id of the promoted version; empty where there is none to compare with."""
    dev_set: str
    """Index, build, split and depth that both were measured on."""
    comparison: Comparison | None
    """None without a promoted version."""
    missing: str = ""
    """What is wrong with the promoted version; else empty."""
    expectations: int = 0
    """How many were checked."""
    failed: tuple[str, ...] = ()
    """One sentence for each expectation that doesn't hold."""

    @property
    def objections(self) -> tuple[str, ...]:
        """What forbids promoting it, as sentences; empty if nothing does."""
        found = []
        if self.missing:
            found.append(f"it couldn't be compared with the promoted version ({self.missing.rstrip('.')})")
        if self.comparison is not None and self.comparison.outcome in (WORSE, UNTOLD):
            found.append(f"on {self.dev_set}, {self.comparison.sentence(self.candidate, self.against)}")
        if self.failed:
            found.append(f"{len(self.failed)} of {self.expectations} expectations fail: {'; '.join(self.failed)}")
        return tuple(found)

    @property
    def refusal(self) -> str:
        """Why it is not promoted, and what to do; empty if it may be."""
        if not self.objections:
            return ""
        return (
            f"{self.candidate} is not promoted: {'; and '.join(self.objections)}. Train it further, or promote it all "
            "the same with --force and a --reason, which is recorded."
        )


def compare(candidate: Mapping[QueryId, float], promoted: Mapping[QueryId, float]) -> Comparison:
    """Two systems' values on the same queries.

    Raises:
        SettingsError: the queries differ, or there are none.
    """
    if candidate.keys() != promoted.keys() or not promoted:
        raise SettingsError(
            f"The candidate was measured on {len(candidate)} queries, the promoted version on {len(promoted)}; "
            "a comparison needs the same ones, and one at least."
        )
    differences = [candidate[query] - promoted[query] for query in promoted]
    count = len(differences)
    difference = sum(differences) / count
    tail = randomisation_test(differences) / 2  # both tails of the test's distribution are the same
    p = tail if difference < 0 else 1 - tail
    return Comparison(
        _outcome(p, queries=count),
        sum(candidate.values()) / count,
        sum(promoted.values()) / count,
        difference,
        bootstrap_interval(differences),
        p,
        count,
    )


def _outcome(p: float, *, queries: int) -> str:
    if queries < LEAST_QUERIES:
        return UNTOLD
    if p <= LEVEL:
        return WORSE
    return BETTER if p >= 1 - LEVEL else NOT_WORSE
