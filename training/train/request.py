"""What decides a training: its recipe, its data, what is measured and protected, and where the version goes."""

from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from indexing import places
from indexing.errors import SettingsError
from indexing.typed_json import made
from search.served import VERSION, reranker_path
from training.data.settings import DataSettings
from training.recipes.catalog import find_loss_recipe, find_recipe, staged_recipe
from training.recipes.recipe import Recipe
from training.recipes.settings import TrainSettings
from training.recipes.stages import StagePlan


def work_folder(output: Path) -> Path:
    """Where the rows and checkpoints of a version to be lie."""
    return output.with_name(f".{output.name}.training")


@dataclass(frozen=True)
class DevSettings:
    """Judged queries that say which weights are best; they are never trained on."""

    index: str = "sample"
    split: str = "dev"
    queries: int = 100
    """At most this many."""
    depth: int = 30
    """Passages of the fused first stage that are re-ranked for each."""

    def __post_init__(self) -> None:
        if self.split == "train":
            raise SettingsError(f"The train split of {self.index} is trained on; measure on another, such as dev.")


@dataclass(frozen=True, kw_only=True)
class LearningRequest:
    """What decides the examples of a training or a race, and what both are measured on."""

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
        """All that decides the rows and what is measured, as plain data; raises SettingsError for an absent file."""
        from training.versions.recording import protected_files

        protect = [f"{one.file} {one.sha256[:12]}" for one in protected_files(self.protect)]
        dev = None if self.dev is None else asdict(self.dev)
        return {**self.data.as_json(), "dev": dev, "protect": protect, "root": str(self.root)}


@dataclass(frozen=True, kw_only=True)
class TrainRequest(LearningRequest):
    """All that decides one training.

    Raises SettingsError for an unknown recipe, and for data or settings beside a recipe that has its own.
    """

    output: Path
    """The version's folder, to be made."""
    recipe: str
    """The recipe's name; any name where a plan is given."""
    settings: TrainSettings = field(default_factory=TrainSettings)
    plan: StagePlan | None = None
    """The recipe's stages, where they aren't those that it comes with."""

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
        """What the recipe needs and how it learns."""
        return find_loss_recipe(self.recipe) if self.plan is None else staged_recipe(self.recipe, self.plan)

    @property
    def work(self) -> Path:
        """Where rows and checkpoints lie until the version is there."""
        return work_folder(self.output)

    def indexes(self) -> list[str]:
        """Names of the indexes that are learned from."""
        return self.data.indexes() if self.plan is None else sorted(self.plan.indexes())

    def decided_by(self) -> dict[str, Any]:
        """Everything that decided the training, as its version's manifest has it."""
        if self.plan is not None:
            return plan_json(self.plan)
        values = self.as_json()
        return {**values["settings"], "data": values["data"], "dev": values["dev"]}

    def as_json(self) -> dict[str, Any]:
        """Plain data, for a job's config."""
        return {
            "output": str(self.output),
            "settings": {"recipe": self.recipe, **asdict(self.settings)},
            "data": self.data.as_json(),
            "dev": None if self.dev is None else asdict(self.dev),
            "protect": [str(path) for path in self.protect],
            "root": str(self.root),
        } | ({} if self.plan is None else {"plan": asdict(self.plan)})

    @classmethod
    def from_json(cls, values: object, *, place: str) -> "TrainRequest":
        """What `as_json` returned. Raises SettingsError, with the place, for values that are no request."""
        stored = made(_StoredRequest, values, place)
        parts = {item.name: getattr(stored.settings, item.name) for item in fields(TrainSettings)}
        return cls(
            output=stored.output,
            recipe=stored.settings.recipe,
            settings=TrainSettings(**parts),
            plan=stored.plan,
            data=stored.data,
            dev=stored.dev,
            protect=stored.protect,
            root=stored.root,
        )


@dataclass(frozen=True, kw_only=True)
class _StoredSettings(TrainSettings):
    """Settings as a job's config has them, the recipe's name among them."""

    recipe: str


@dataclass(frozen=True, kw_only=True)
class _StoredRequest(LearningRequest):
    """A request as a job's config has it."""

    output: Path
    settings: _StoredSettings
    plan: StagePlan | None = None


def plan_json(plan: StagePlan) -> dict[str, Any]:
    """What decides a training in stages, as its work folder and its version's manifest have it."""
    values = {**asdict(plan), "base": model_path(plan.base)}
    del values["learns_from"]
    return values


def model_path(name: str) -> str:
    """Where a model lies: a version's folder where `name` is the id of one; any other name is returned as it is."""
    return reranker_path(name) if VERSION.fullmatch(name) else name
