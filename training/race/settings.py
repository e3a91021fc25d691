"""Settings of a race: its recipes, budget, data and folder."""

import math
from dataclasses import dataclass, replace
from pathlib import Path

from indexing.errors import SettingsError
from indexing.typed_json import check_types
from training.recipes.catalog import LOSS_RECIPES, find_loss_recipe
from training.recipes.settings import TrainSettings
from training.train.request import LearningRequest, TrainRequest


@dataclass(frozen=True, kw_only=True)
class RaceSettings:
    """The recipes of a race and the settings that they share."""

    recipes: tuple[str, ...]
    minutes: float
    """Time for training all recipes; gathering and measuring come on top."""
    train: TrainSettings
    """Settings of each recipe's training; the race itself sets `minutes` and `save_every`."""
    seeds: tuple[int, ...] = (17,)

    def __post_init__(self) -> None:
        check_types(self)
        for name in self.recipes:
            find_loss_recipe(name)
        if not self.recipes or len(set(self.recipes)) < len(self.recipes):
            raise SettingsError(f"Recipes {list(self.recipes)} can't be raced; choose of {', '.join(LOSS_RECIPES)}.")
        if not 0 < self.minutes < math.inf or not self.seeds:
            raise SettingsError(
                f"A race of {self.minutes} minutes and {len(self.seeds)} seeds; give more than 0 of each."
            )


@dataclass(frozen=True, kw_only=True)
class RaceRequest(LearningRequest):
    """Everything that determines a race."""

    folder: Path
    """The folder for rows, weights, standings, table and plot."""
    settings: RaceSettings

    def training(self, recipe: str, *, seed: int, output: Path) -> TrainRequest:
        """A request for training one recipe with one seed, with a version at `output`."""
        return TrainRequest(
            output=output,
            recipe=recipe,
            settings=replace(self.settings.train, seed=seed),
            data=self.data,
            dev=self.dev,
            protect=self.protect,
            root=self.root,
        )
