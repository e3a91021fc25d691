"""Decides whether a version may be promoted: no worse than the promoted one on dev queries, all expectations hold."""

from dataclasses import dataclass

from training.evaluation.paired import TOO_FEW, WORSE, PairedComparison


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
            objections.append(f"it couldn't be compared with the promoted version ({self.missing.rstrip('.')})")
        if self.comparison is not None and self.comparison.outcome in (WORSE, TOO_FEW):
            objections.append(f"on {self.dev_set}, {self.comparison.sentence(self.candidate, self.against)}")
        if self.failed:
            objections.append(f"{len(self.failed)} of {self.expectations} expectations fail: {'; '.join(self.failed)}")
        return tuple(objections)

    @property
    def refusal(self) -> str:
        """Why it isn't promoted, and what to do instead; empty if it may be promoted."""
        if not self.objections:
            return ""
        return (
            f"{self.candidate} is not promoted: {'; and '.join(self.objections)}. Train it further, or promote it "
            "anyway with --force and a --reason, which is recorded."
        )
