"""Whether a version may be promoted: no worse than the promoted one on dev queries, and every expectation holds."""

from dataclasses import dataclass

from training.evaluation.paired import TOO_FEW, WORSE, PairedComparison


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Whether a version may be promoted, and why not."""

    candidate: str
    against: str
    """Id of the promoted version; empty where there is none to compare with."""
    dev_set: str
    """Index, build, split and depth that both were measured on."""
    comparison: PairedComparison | None
    """The candidate less the promoted version; None without one."""
    missing: str = ""
    """What is wrong with the promoted version; else empty."""
    expectations: int = 0
    """How many were checked."""
    failed: tuple[str, ...] = ()
    """One sentence for each expectation that doesn't hold."""

    @property
    def objections(self) -> tuple[str, ...]:
        """What forbids promoting it, as sentences; empty if nothing does."""
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
        """Why it is not promoted, and what to do instead; empty if it may be promoted."""
        if not self.objections:
            return ""
        return (
            f"{self.candidate} is not promoted: {'; and '.join(self.objections)}. Train it further, or promote it "
            "anyway with --force and a --reason, which is recorded."
        )
