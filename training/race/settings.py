"""What a race is between, under which budget, and where it is run."""

import math
from dataclasses import dataclass, replace
from pathlib import Path

from indexing.errors import SettingsError
from training.recipes.catalog import LOSS_RECIPES, find_loss_recipe
from training.recipes.settings import TrainSettings
from training.train.request import LearningRequest, TrainRequest


@dataclass(frozen=True, kw_only=True)
class RaceSettings:
    """What all recipes have in common."""

    recipes: tuple[str, ...]
    minutes: float
    """For training all of them; gathering and measuring come on top."""
    train: TrainSettings
    """Of each recipe; `minutes` and checkpoints are the race's."""
    seeds: tuple[int, ...] = (17,)

    def __post_init__(self) -> None:
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
    """All that decides a race."""

    folder: Path
    """Takes rows, weights, standings, table and plot."""
    settings: RaceSettings

    def training(self, recipe: str, *, seed: int, output: Path) -> TrainRequest:
        """The training of one recipe with one seed, as a request for a version at `output`."""
        return TrainRequest(
            output=output,
            recipe=recipe,
            settings=replace(self.settings.train, seed=seed),
            data=self.data,
            dev=self.dev,
            protect=self.protect,
            root=self.root,
        )
