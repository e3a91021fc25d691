"""One training from data to a version on disk: everything that was asked for, and the steps that do it.

The folder `work` holds rows and checkpoints while it lasts; the version appears at its place whole, at the end.
"""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from indexing import places
from indexing.errors import SettingsError
from training.data.settings import DataSettings
from training.recipes.settings import TrainSettings
from training.train.workspace import work_folder
from training.versions.recording import protected_files


@dataclass(frozen=True)
class DevSettings:
    """Judged queries that say which weights are best; they are never trained on."""

    index: str = "sample"
    split: str = "dev"
    queries: int = 100
    """At most so many."""
    depth: int = 30
    """Passages of the fused first stage that are re-ranked for each."""

    def __post_init__(self) -> None:
        if self.split == "train":
            raise SettingsError(f"The train split of {self.index} is trained on; measure on another, such as dev.")


@dataclass(frozen=True)
class Request:
    """All that decides one training."""

    output: Path
    """The version's folder, to be made."""
    settings: TrainSettings
    data: DataSettings
    dev: DevSettings | None = None
    """None to measure nothing while training."""
    protect: tuple[Path, ...] = ()
    """Files of queries that must not be trained on."""
    root: Path = field(default_factory=places.indexes)
    """Folder of all indexes."""

    @property
    def work(self) -> Path:
        """Where rows and checkpoints lie until the version is there."""
        return work_folder(self.output)

    def as_json(self) -> dict[str, Any]:
        """Plain data, for a job's config and a version's manifest."""
        return {
            **asdict(self),
            "data": self.data.as_json(),
            "output": str(self.output),
            "root": str(self.root),
            "protect": [str(path) for path in self.protect],
        }

    @property
    def gathered_from(self) -> dict[str, Any]:
        """All that decides the rows and what is measured, as plain data."""
        values = self.as_json()
        protect = [f"{one.file} {one.sha256[:12]}" for one in protected_files(self.protect)]
        return {**values["data"], "dev": values["dev"], "protect": protect, "root": values["root"]}
