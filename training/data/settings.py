"""Which examples a training learns from, and how many of each."""

from dataclasses import asdict, dataclass, field
from typing import Any

from indexing.errors import SettingsError
from training.data.questions import ColdStart
from training.mining.settings import MiningSettings
from training.source import SOURCE_USAGE, Source


@dataclass(frozen=True, kw_only=True)
class DataSettings:
    """What is trained on."""

    sources: tuple[Source, ...] = (Source("hub"),)
    """Read one after the other."""
    index: str = ""
    """Index for texts by id, and for recipes that need one; empty for none."""
    limit: int | None = None
    """At most so many examples of each source; None for all."""
    teacher: str = ""
    """As teacher.open_teacher reads it; empty for the scores that the data have."""
    mining: MiningSettings = field(default_factory=lambda: MiningSettings(per_query=7))
    """Negatives of an `index:` or `judged:` source, unless the recipe mines by settings of its own."""
    cold: ColdStart = field(default_factory=ColdStart)
    """What is made of passages by a recipe that reads no judgments."""

    def __post_init__(self) -> None:
        if not self.sources:
            raise SettingsError(f"There is nothing to train on; give {SOURCE_USAGE}.")
        if self.limit is not None and self.limit < 1:
            raise SettingsError(f"limit is {self.limit} examples; give 1 or more.")

    def indexes(self) -> list[str]:
        """Names of all indexes that are read."""
        return sorted({*(source.index for source in self.sources), self.index} - {""})

    def as_json(self) -> dict[str, Any]:
        """Plain data, with each source as it is written."""
        return {**asdict(self), "sources": [str(source) for source in self.sources]}
