"""What a job of any kind needs while it runs, as it stands in the job's folder: no such index is removed then."""

from dataclasses import dataclass

NEEDS = "needs.json"


@dataclass(frozen=True, kw_only=True)
class Needs:
    """The indexes that a job reads."""

    title: str
    """What the job is called within a sentence."""
    indexes: tuple[str, ...]
    """The folder of each, as an absolute path."""
