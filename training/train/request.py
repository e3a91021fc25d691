"""A request for a training: its recipe and data, the dev and protected queries, and the version's folder."""

from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from indexing import places
from indexing.errors import SettingsError
from indexing.typed_json import check_types, made
from search.served import SHIPPED, VERSION, reranker_path
from training.data.settings import DataSettings
from training.recipes.catalog import find_loss_recipe, find_recipe, staged_recipe
from training.recipes.recipe import Recipe
from training.recipes.settings import TrainSettings
from training.recipes.stages import StagePlan


def work_folder(output: Path) -> Path:
    """The folder for the rows and checkpoints of a version in training."""
    return output.with_name(f".{output.name}.training")


@dataclass(frozen=True)
class DevSettings:
    """The judged queries that decide which weights are best; they are never trained on."""

    index: str = "sample"
    split: str = "dev"
    queries: int = 100
    """At most this many."""
    depth: int = 30
    """Passages of the fused first stage to re-rank for each query."""

    def __post_init__(self) -> None:
        check_types(self)
        if self.split == "train":
            raise SettingsError(f"The train split of {self.index} is trained on; measure on another, such as dev.")


@dataclass(frozen=True, kw_only=True)
class LearningRequest:
    """What a training and a race have in common: the data they learn from and the queries they are measured on."""

    data: DataSettings = field(default_factory=DataSettings)
    dev: DevSettings | None = None
    """None to measure nothing."""
    protect: tuple[Path, ...] = ()
    """Files of queries that must not be trained on."""
    root: Path = field(default_factory=places.indexes)
    """Folder of all indexes."""

    def indexes(self) -> list[str]:
        """Names of the indexes that are learned from."""
        return self.data.indexes()

    def gathered_from(self) -> dict[str, Any]:
        """All that determines the rows and the dev set, as plain data. Raises SettingsError for an absent file."""
        from training.versions.recording import protected_files

        protect = [f"{entry.file} {entry.sha256[:12]}" for entry in protected_files(self.protect)]
        dev = None if self.dev is None else asdict(self.dev)
        return {**self.data.as_json(), "dev": dev, "protect": protect, "root": str(self.root)}


@dataclass(frozen=True, kw_only=True)
class TrainRequest(LearningRequest):
    """Everything that determines one training.

    Raises SettingsError for an unknown recipe, or if data or settings are given for a recipe that has its own.
    """

    output: Path
    """The version's folder, which must not exist yet."""
    recipe: str
    """The recipe's name; with a plan, any name."""
    settings: TrainSettings = field(default_factory=TrainSettings)
    plan: StagePlan | None = None
    """The stages, to use in place of the recipe's own."""
    whole: bool = False
    """Whether the settings' minutes count everything: gathering, mining and measuring too."""

    def __post_init__(self) -> None:
        if self.plan is None:
            object.__setattr__(self, "plan", find_recipe(self.recipe).plan)
        if self.plan is None:
            return
        if not self.plan.stages:
            raise SettingsError(f"Recipe {self.recipe} has no stage to train; give it one.")
        if (self.data, self.settings) != (DataSettings(), TrainSettings()):
            raise SettingsError(f"Recipe {self.recipe} has its own data and settings; leave out others.")

    @property
    def resolved_recipe(self) -> Recipe:
        """The recipe of this name, or one made from the plan."""
        return find_loss_recipe(self.recipe) if self.plan is None else staged_recipe(self.recipe, self.plan)

    @property
    def work(self) -> Path:
        """The folder for rows and checkpoints until the version exists."""
        return work_folder(self.output)

    def indexes(self) -> list[str]:
        """Names of the indexes that are learned from."""
        return self.data.indexes() if self.plan is None else sorted(self.plan.indexes())

    def decided_by(self) -> dict[str, Any]:
        """Everything that determined the training, in the form of the version's manifest."""
        if self.plan is not None:
            return plan_json(self.plan)
        values = self.as_json()
        return {**values["settings"], "data": values["data"], "dev": values["dev"]} | self._counting()

    def as_json(self) -> dict[str, Any]:
        """The request as plain data, for a job's config."""
        return (
            {
                "output": str(self.output),
                "settings": {"recipe": self.recipe, **asdict(self.settings)},
                "data": self.data.as_json(),
                "dev": None if self.dev is None else asdict(self.dev),
                "protect": [str(path) for path in self.protect],
                "root": str(self.root),
            }
            | ({} if self.plan is None else {"plan": asdict(self.plan)})
            | self._counting()
        )

    def _counting(self) -> dict[str, bool]:
        """What is written only where the minutes count everything, so that earlier requests stay as they were."""
        return {"whole": True} if self.whole else {}

    @classmethod
    def from_json(cls, values: object, *, place: str) -> "TrainRequest":
        """Rebuild a request from what `as_json` returned. Raises SettingsError, naming the place, for anything else."""
        stored = made(_StoredRequest, values, place)
        parts = {entry.name: getattr(stored.settings, entry.name) for entry in fields(TrainSettings)}
        return cls(
            output=stored.output,
            recipe=stored.settings.recipe,
            settings=TrainSettings(**parts),
            plan=stored.plan,
            data=stored.data,
            dev=stored.dev,
            protect=stored.protect,
            root=stored.root,
            whole=stored.whole,
        )


@dataclass(frozen=True, kw_only=True)
class _StoredSettings(TrainSettings):
    """Settings as stored in a job's config, which include the recipe's name."""

    recipe: str


@dataclass(frozen=True, kw_only=True)
class _StoredRequest(LearningRequest):
    """A request as stored in a job's config."""

    output: Path
    settings: _StoredSettings
    plan: StagePlan | None = None
    whole: bool = False


def plan_json(plan: StagePlan) -> dict[str, Any]:
    """Everything that determines a training in stages, in the form of its work folder and its version's manifest."""
    values = {**asdict(plan), "base": model_path(plan.base)}
    del values["learns_from"]
    return values


def model_path(name: str) -> str:
    """The folder of a version if `name` is a version's id, of the shipped one for SHIPPED; any other name unchanged."""
    return reranker_path(name) if name == SHIPPED or VERSION.fullmatch(name) else name
