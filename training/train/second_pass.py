"""The second pass of a cold start: the model of the first pass joins its own teachers."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from indexing import atomic
from indexing.progress import Progress, relabel, silent
from indexing.records import Floats
from training.example import Example
from training.fitting.callback import Measure, ReportStep
from training.fitting.dev_set import ModelInTraining
from training.fitting.fit import ROWS, Fitted, fit
from training.fitting.model import PairModel
from training.recipes.row_files import read_rows, write_rows
from training.recipes.settings import TrainSettings
from training.teachers.teacher import RerankerTeacher, Teacher, taught
from training.train.request import Request

SELF_SHARE = 0.5  # the model's own share of the targets in the second pass


def self_taught(examples: Iterable[Example], model: PairModel, *, progress: Progress = silent) -> Iterator[Example]:
    """The examples with targets that are the mean of the model's logits and the teacher's, both of one spread."""
    model.eval()
    for example in taught(examples, SelfTeacher(RerankerTeacher(ModelInTraining(model))), progress=progress):
        yield replace(example, source=f"{example.source}, self-taught")


class SelfTeacher:
    """The mean of a model's logits, made as wide as the scores that an example came with, and of these."""

    def __init__(self, model: Teacher) -> None:
        self._model = model

    def scores(self, examples: Sequence[Example]) -> list[Floats]:
        """As Teacher."""
        return [
            _mixed(own, np.array(example.scores, dtype=np.float32))
            for example, own in zip(examples, self._model.scores(examples), strict=True)
        ]


def _mixed(own: Floats, given: Floats) -> Floats:
    scaled = (own - own.mean()) / (own.std() or 1.0) * given.std() + given.mean()
    mixed: Floats = (SELF_SHARE * scaled + (1 - SELF_SHARE) * given).astype(np.float32)
    return mixed


SECOND_PASS = "self-taught"
FIRST = "first"


def _again(
    request: Request, first: Fitted, *, measure: Measure | None, progress: Progress, report: ReportStep, resume: bool
) -> Fitted:
    """The second pass of a cold start, on targets that the model had a say in; the better weights where dev says so."""
    work = request.work / SECOND_PASS
    base = work / FIRST
    if not base.is_dir():
        with atomic.folder(base) as folder:
            first.model.save_pretrained(str(folder), create_model_card=False)
    if not (work / ROWS).is_dir():
        lists = sum(first.counts.examples.values())
        mixed = self_taught(
            _examples(request.work / ROWS), first.model, progress=relabel(progress, "teach itself", total=lists)
        )
        write_rows(work / ROWS, mixed, request.settings.loss_recipe.form, seed=request.settings.seed)
    second = fit(work, _second_settings(request, work), resume=resume, measure=measure, report=report)
    losses = {**first.losses, **{first.steps + step: loss for step, loss in second.losses.items()}}
    kept = max(second, first, key=lambda fitted: fitted.best_ndcg or 0.0)  # the second where they are equal
    return Fitted(
        kept.model, losses, kept.best_ndcg, first.counts, first.steps + second.steps, first.pairs + second.pairs
    )


def _examples(rows: Path) -> Iterator[Example]:
    """The examples that a cold start's rows were made of."""
    found, counts = read_rows(rows)
    source = next(iter(counts.examples))
    for row in found:
        yield Example(source, row["query"], tuple(row["passages"]), scores=tuple(row["labels"]))


def first_settings(settings: TrainSettings) -> TrainSettings:
    """Of the first pass: a cold start's has half of the steps and minutes, as there is a second one."""
    if not settings.loss_recipe.teaches_itself:
        return settings
    steps = None if settings.steps is None else max(1, settings.steps // 2)
    return replace(settings, steps=steps, minutes=settings.minutes and settings.minutes / 2)


def _second_settings(request: Request, work: Path) -> TrainSettings:
    return replace(first_settings(request.settings), base=str(work / FIRST), seed=request.settings.seed + 1)
