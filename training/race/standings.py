"""The standings of a race on disk, round by round."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from indexing import atomic
from indexing.errors import SettingsError, TrainingError
from training.recipes.catalog import LOSS_RECIPES, find_loss_recipe
from training.recipes.settings import TrainSettings

RESULTS = "race.json"
BASE = "not trained"


@dataclass
class Standing:
    """A recipe's place in the race."""

    recipe: str
    rounds: int = 0
    """Rounds that it took part in."""
    minutes: float = 0.0
    """Trained in all, of one seed, without gathering and measuring."""
    pairs: int = 0
    """Seen in all, of one seed."""
    ndcg: float = 0.0
    """Mean over the dev queries, and over the seeds."""
    low: float = 0.0
    high: float = 0.0
    """The 95 % bootstrap interval over the dev queries."""
    by_seed: list[float] = field(default_factory=list)
    """Mean over the dev queries, of each seed's model."""
    by_query: dict[str, float] = field(default_factory=dict)
    """nDCG@10 of each dev query, mean over the seeds."""
    after: list[float] = field(default_factory=list)
    """nDCG@10 after each of its rounds: the next round's field is chosen by the last one's."""
    learns: str = ""
    """Fingerprint of its loss and examples; empty where it can't learn from the data."""
    same_as: str = ""
    """Another recipe with the same loss and rows, whose training this is too."""
    fault: str = ""
    """Why it could not take part, or broke off; else empty."""

    @property
    def pairs_per_second(self) -> float:
        """Speed of its training."""
        return self.pairs / (self.minutes * 60) if self.minutes else 0.0


@dataclass(frozen=True)
class RaceSettings:
    """What all recipes have in common."""

    recipes: tuple[str, ...]
    minutes: float
    """For training all of them; gathering and measuring come on top."""
    train: TrainSettings
    """Of each recipe, its name aside; `minutes` and checkpoints are the race's."""
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


def _best(names: Sequence[str], standings: Mapping[str, Standing], *, after: int) -> list[str]:
    """Best first after that round, whatever some of them reached since; in their own order before the first.

    Those that broke off before its end aren't among them.
    """
    there = [name for name in names if len(standings[name].after) >= after]
    return sorted(there, key=lambda name: -standings[name].after[after - 1]) if after else there


def _read(folder: Path, settings: RaceSettings) -> dict[str, Standing]:
    path = folder / RESULTS
    if not path.is_file():
        return {}
    values = json.loads(path.read_text(encoding="utf-8"))
    if values["settings"] != json.loads(json.dumps(asdict(settings))):
        raise TrainingError(f"{folder} holds a race with other settings; give them again, or another --output.")
    return {row["recipe"]: Standing(**row) for row in values["standings"]}


def _write(folder: Path, settings: RaceSettings, standings: dict[str, Standing]) -> None:
    rows = [asdict(standing) for standing in standings.values()]
    atomic.write_json(folder / RESULTS, {"settings": asdict(settings), "standings": rows})
