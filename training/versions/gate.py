"""Decides whether a version may be promoted: no worse than the promoted one on dev queries, all expectations hold."""

from dataclasses import dataclass

from training.evaluation.paired import TOO_FEW, WORSE, PairedComparison

MINIMUM_QUERIES = 50
"""Where the differences by query have a standard deviation of 0.2, their mean over 50 queries has a standard error of
0.2 / sqrt(50) = 0.03: a loss of 0.08 is found four times in five."""
POWER = (1.960 + 0.842) / 1.960
"""From half a 95 % interval to the difference found four times in five: by the normal quantiles of 97.5 and 80 %."""


def visible_difference(comparison: PairedComparison) -> float:
    """The smallest mean difference that these queries would show four times in five."""
    low, high = comparison.interval
    return (high - low) / 2 * POWER


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Whether a version may be promoted, and if not, why."""

    candidate: str
    against: str
    """Id of the promoted version; empty if there is none to compare with."""
    dev_set: str
    """Index, build, split and depth that both were measured on."""
    comparison: PairedComparison | None
    """The candidate against the promoted version; None if there is none."""
    missing: str = ""
    """What is wrong with the promoted version; empty if nothing is."""
    expectations: int = 0
    """Number of expectations that were checked."""
    failed: tuple[str, ...] = ()
    """One sentence for each expectation that doesn't hold."""

    @property
    def objections(self) -> tuple[str, ...]:
        """The reasons against promoting it, as sentences; empty if there are none."""
        objections = []
        if self.missing:
            objections.append(f"it couldn't be compared with the served version ({self.missing.rstrip('.')})")
        if self.comparison is not None and self.comparison.outcome in (WORSE, TOO_FEW):
            objections.append(f"on {self.dev_set}, {self.comparison.sentence(self.candidate, self.against)}")
        if self.failed:
            objections.append(f"{len(self.failed)} of {self.expectations} expectations fail: {'; '.join(self.failed)}")
        return tuple(objections)

    @property
    def cautions(self) -> tuple[str, ...]:
        """What the measurement could not have seen, in sentences; empty without one."""
        if self.comparison is None:
            return ()
        queries, visible = self.comparison.queries, visible_difference(self.comparison)
        seen = (
            f"These {queries:,} queries would most likely have shown a mean difference of {visible:.3f} or more; a "
            "smaller one, for better or worse, would often stay unseen."
            if visible
            else f"Both versions have the same {self.comparison.measure} on each of these {queries:,} queries, which "
            "therefore can't tell them apart."
            if not self.comparison.difference
            else f"They differ by the same {self.comparison.measure} on each of these {queries:,} queries, so that "
            "what is chance can't be told."
        )
        if queries >= MINIMUM_QUERIES:
            return (seen,)
        return (
            seen,
            f"{queries:,} dev queries are few: judge at least {MINIMUM_QUERIES}, or choose an index that has them, "
            "before you rely on this verdict.",
        )

    @property
    def refusal(self) -> str:
        """Why it isn't promoted, and what to do instead; empty if it may be promoted."""
        if not self.objections:
            return ""
        return (
            f"{self.candidate} is not promoted: {'; and '.join(self.objections)}. Train it further, or promote it "
            "anyway with --force and a --reason, which is recorded."
        )
