"""Which examples a training learns from, and how many of each."""

from dataclasses import dataclass, field

from indexing.errors import SettingsError
from training.data import sources as local_data
from training.data.questions import ColdStart
from training.data.sources import index_of
from training.mining.settings import MiningSettings

HARD = "lambda-hard-neg"
HARD_NEGATIVES = MiningSettings(per_query=9, ranks=(3, 30), sampling="top", relative_margin=None)
"""What `lambda-hard-neg` mines: as its authors do, without a margin."""
SPELLED = f"hub, hub:FOLDER, index:NAME, judged:INDEX,queries=FILE,qrels=FILE, {local_data.SPELLED}"


@dataclass(frozen=True)
class DataSettings:
    """What is trained on."""

    sources: tuple[str, ...] = ("hub",)
    """Each is `hub` (what the recipe has there), `hub:FOLDER` (in the hub's layout), `index:NAME` (its corpus's train
    queries and judgments), `judged:INDEX,queries=FILE,qrels=FILE` (others, for its passages), or a file as
    local_data.parse_source reads it."""
    index: str = ""
    """Index for texts by id, for the negatives of `lambda-hard-neg` and for `cold-start`; empty for none."""
    limit: int | None = None
    """At most so many examples of each source; None for all."""
    teacher: str = ""
    """As teacher.open_teacher reads it; empty for the scores that the data have."""
    mining: MiningSettings = field(default_factory=lambda: MiningSettings(per_query=7))
    """Negatives of an `index:` or `judged:` source; `lambda-hard-neg` has its own."""
    cold: ColdStart = field(default_factory=ColdStart)
    """What `cold-start` makes."""

    def __post_init__(self) -> None:
        if not self.sources:
            raise SettingsError(f"There is nothing to train on; give {SPELLED}.")
        if self.limit is not None and self.limit < 1:
            raise SettingsError(f"limit is {self.limit} examples; give 1 or more.")

    def indexes(self) -> list[str]:
        """Names of all indexes that are read."""
        return sorted({*map(index_of, self.sources), self.index} - {""})
