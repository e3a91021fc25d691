"""Targets of a second pass: the mean of what a model learned from and of its own scores."""

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

SELF_SHARE = 0.5  # the model's own share of the targets


def self_taught(examples: Iterable[Example], model: PairModel, *, progress: Progress = silent) -> Iterator[Example]:
    """The examples with targets that are the mean of the model's logits and the teacher's, both of one spread."""
    model.eval()
    for example in teach(examples, SelfTeacher(RerankerTeacher(ModelInTraining(model))), progress=progress):
        yield replace(example, source=f"{example.source}, self-taught")


class SelfTeacher:
    """The mean of a model's logits, made as wide as the scores that an example came with, and of these."""

    def __init__(self, model: Teacher) -> None:
        self._model = model

    def scores(self, examples: Sequence[Example]) -> list[Floats]:
        """For each example (passages,) float32 logits."""
        return [
            _mixed(own, np.array(example.scores, dtype=np.float32))
            for example, own in zip(examples, self._model.scores(examples), strict=True)
        ]


def _mixed(own: Floats, targets: Floats) -> Floats:
    scaled = (own - own.mean()) / (own.std() or 1.0) * targets.std() + targets.mean()
    mixed: Floats = (SELF_SHARE * scaled + (1 - SELF_SHARE) * targets).astype(np.float32)
    return mixed


def examples_of(folder: Path) -> Iterator[Example]:
    """The examples that the rows in a folder, lists with a teacher's scores, were made of."""
    rows, counts = read_rows(folder)
    source = next(iter(counts.examples))
    for row in rows:
        yield Example(source, row["query"], tuple(row["passages"]), scores=tuple(row["labels"]))
