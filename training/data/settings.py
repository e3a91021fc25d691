"""Which examples a model is trained on, and how many of each source."""

from dataclasses import asdict, dataclass, field
from typing import Any

from indexing.errors import SettingsError
from indexing.typed_json import check_types
from training.data.questions import ColdStart
from training.mining.settings import MiningSettings
from training.source import SOURCE_USAGE, Source
from training.targets import TargetSettings


@dataclass(frozen=True, kw_only=True)
class DataSettings:
    """The sources of training examples, and how they are read."""

    sources: tuple[Source, ...] = (Source("hub"),)
    """Read one after the other."""
    index: str = ""
    """Index that texts are read from by id, and that some recipes require; empty for none."""
    limit: int | None = None
    """Most examples read from each source; None for all."""
    teacher: str = ""
    """A name that teacher.open_teacher accepts; empty to use the scores in the data."""
    mining: MiningSettings = field(default_factory=lambda: MiningSettings(per_query=7))
    """How negatives of an `index:` or `judged:` source are mined, unless the recipe has mining settings of its own."""
    target: TargetSettings = field(default_factory=TargetSettings)
    """How a recipe that mixes grades with a teacher's scores weighs them."""
    cold: ColdStart = field(default_factory=ColdStart)
    """How a recipe without judgments makes examples from passages."""

    def __post_init__(self) -> None:
        check_types(self)
        if not self.sources:
            raise SettingsError(f"No source of training data is named; give {SOURCE_USAGE}.")
        if self.limit is not None and self.limit < 1:
            raise SettingsError(f"limit is {self.limit} examples; give 1 or more.")

    def indexes(self) -> list[str]:
        """Sorted names of all indexes that are read."""
        return sorted({*(source.index for source in self.sources), self.index} - {""})

    def as_json(self) -> dict[str, Any]:
        """The settings as plain data, each source as its text."""
        values = {**asdict(self), "sources": [str(source) for source in self.sources]}
        if self.target == TargetSettings():
            del values["target"]  # as trainings before it was a setting recorded themselves
        return values
