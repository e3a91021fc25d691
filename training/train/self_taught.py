"""Targets for a second pass: the mean of the first pass's targets and the trained model's own scores."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from indexing.progress import Progress, silent
from indexing.records import Floats
from training.example import Example
from training.fitting.dev_set import ModelInTraining
from training.fitting.model import PairModel
from training.recipes.row_files import read_rows
from training.teachers.teacher import RerankerTeacher, Teacher, teach

SELF_SHARE = 0.5  # the weight of the model's own scores in the targets


def self_taught(examples: Iterable[Example], model: PairModel, *, progress: Progress = silent) -> Iterator[Example]:
    """The examples with new targets: the mean of the teacher's logits and of the model's, scaled to the same spread."""
    model.eval()
    for example in teach(examples, SelfTeacher(RerankerTeacher(ModelInTraining(model))), progress=progress):
        yield replace(example, source=f"{example.source}, self-taught")


class SelfTeacher:
    """A teacher that averages an example's scores with a model's logits, scaled to those scores' mean and spread."""

    def __init__(self, model: Teacher) -> None:
        self._model = model

    def scores(self, examples: Sequence[Example]) -> list[Floats]:
        """Targets of each example, (passages,) float32."""
        return [
            _mixed(own, np.array(example.scores, dtype=np.float32))
            for example, own in zip(examples, self._model.scores(examples), strict=True)
        ]


def _mixed(own: Floats, targets: Floats) -> Floats:
    scaled = (own - own.mean()) / (own.std() or 1.0) * targets.std() + targets.mean()
    mixed: Floats = (SELF_SHARE * scaled + (1 - SELF_SHARE) * targets).astype(np.float32)
    return mixed


def examples_of(folder: Path) -> Iterator[Example]:
    """Rebuild examples from the rows in a folder, which are lists with a teacher's scores."""
    rows, counts = read_rows(folder)
    source = next(iter(counts.examples))
    for row in rows:
        yield Example(source, row["query"], tuple(row["passages"]), scores=tuple(row["labels"]))
