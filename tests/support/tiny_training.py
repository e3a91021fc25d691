"""Trainings of a second: eight examples on four subjects, labelled and scored, on a tiny cross-encoder."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from tests.conftest import PASSAGES
from training.example import Example
from training.fitting.fit import ROWS, FittedModel, fit
from training.fitting.model import PairModel
from training.recipes.row_files import write_rows
from training.recipes.settings import FitSettings, TrainSettings

SUBJECTS = ("bees honey", "lighthouse lamp", "bread flour", "glacier ice")
TURNS = 2
EXAMPLES = len(SUBJECTS) * TURNS
WORDS = 8  # kept of each passage

Weights = Mapping[str, Tensor]


def examples() -> list[Example]:
    """Each has 8 passages, 3 of them on the query's own subject; a teacher scores those 4 higher, first ones best."""
    texts = [" ".join(text.split()[:WORDS]) for text in PASSAGES.values()]
    made = []
    for subject, words in enumerate(SUBJECTS):
        for turn in range(TURNS):
            places = [(subject * 5 + turn + 3 * step) % 20 for step in range(8)]
            own = [float(place // 5 == subject) for place in places]
            scores = tuple(4 * grade - 2 - 0.1 * step for step, grade in enumerate(own))
            chosen = tuple(texts[place] for place in places)
            made.append(Example("tiny", f"{words} {turn}", chosen, labels=tuple(own), scores=scores))
    return made


def settings(base: Path | str, recipe: str, **given: Any) -> FitSettings:
    """Fast, in float32, without checkpoints."""
    usual: dict[str, Any] = {"learning_rate": 3e-3, "precision": "float32", "save_every": 0, "max_length": 64}
    return FitSettings(recipe=recipe, base=str(base), **(usual | given))


def plain(asked: FitSettings) -> TrainSettings:
    """The settings of a whole training by a recipe that is named beside them."""
    return TrainSettings(**{name: value for name, value in vars(asked).items() if name != "recipe"})


def train(folder: Path, asked: FitSettings, *, given: Sequence[Example] | None = None, **options: Any) -> FittedModel:
    """`fit` on these examples, whose rows are written where there are none."""
    if not (folder / ROWS).is_dir():
        write_rows(folder / ROWS, examples() if given is None else given, asked.loss_recipe.form, seed=1)
    return fit(folder, asked, **options)


def resumable(base: Path | str, recipe: str) -> FitSettings:
    """12 steps, 4 of them an epoch, with a checkpoint every 3 steps; dropout makes them depend on random numbers."""
    batch = {"listnet": EXAMPLES // 4, "cmnrl": EXAMPLES * 3 // 4}[recipe]
    return settings(base, recipe, steps=12, batch=batch, save_every=3, dropout=0.1)


def weights(model: PairModel) -> Weights:
    """A copy of all weights."""
    return {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}


def equal(one: Weights, two: Weights) -> bool:
    """Whether two models have the same weights to the last bit."""
    return one.keys() == two.keys() and all(torch.equal(one[name], two[name]) for name in one)


class StoppedError(Exception):
    """What a test raises to stop a training."""
