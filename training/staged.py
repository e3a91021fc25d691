"""Trains by a recipe of stages: each on examples of its own, from the weights of the stage before.

As with one stage, `work` beside the version holds rows and checkpoints until it is there, and a training that was
stopped goes on.
"""

import hashlib
import shutil
import time
from dataclasses import asdict, replace
from pathlib import Path

from indexing import atomic
from indexing.errors import TrainingError
from indexing.index import ROOT
from training import card
from training.fit import ROWS, Fitted, fit
from training.gather import Gatherer
from training.loss_recipes import COLD_START, LOSS_RECIPES
from training.pair_model import save_weights
from training.phase import Phase
from training.recipes import Recipe, Stage
from training.request import check_free, keep_asked, last_loss
from training.row_files import RowCounts, read_rows, write_rows
from training.train_settings import TrainSettings
from training.watch import Report

LOSS = COLD_START  # ListNet's cross-entropy on lists of target logits, whoever gave them
MODEL = "model"


def make_in_stages(
    name: str,
    recipe: Recipe,
    output: Path,
    *,
    protected: frozenset[str],
    root: Path = ROOT,
    resume: bool = False,
    phase: Phase = lambda *_: None,
    report: Report = lambda _: None,
    command: str,
) -> Path:
    """Gather and train stage by stage, and put the version at `output`; gives that back.

    Raises:
        TrainingError: the recipe has no stage, the output is there, or a stopped training lies beside it and
            `resume` isn't given.
        SecondLookError: as data and base model say.
    """
    if not recipe.stages:
        raise TrainingError(f"Recipe {name} has no stage to train; give it one.")
    work = check_free(output, resume=resume)
    keep_asked(work, {"recipe": asdict(recipe), "root": str(root), "protected queries": _fingerprint(protected)})
    start, revision = time.monotonic(), card.code_revision()
    gatherer = Gatherer(root=root, protected=protected, progress=phase)
    counts: dict[str, dict[str, int]] = {}
    losses: dict[str, float] = {}
    pairs, base = 0, recipe.base
    for number, stage in enumerate(recipe.stages, start=1):
        folder = work / f"stage-{number}"
        counts[stage.name] = _rows(folder, stage.with_itself(base), recipe, gatherer).examples
        fitted = fit(folder, _settings(recipe, stage, base), resume=resume, report=report)
        losses[stage.name], pairs = last_loss(fitted.losses), pairs + fitted.pairs
        base = _kept(folder, fitted)
    values = card.record(
        name,
        asdict(recipe),
        examples=counts,
        pairs=pairs,
        losses=losses,
        minutes=(time.monotonic() - start) / 60,
        revision=revision,
        data=card.data_rows({item.index for stage in recipe.stages for item in stage.ingredients}, root=root),
        dropped={"protected": gatherer.dropped} if gatherer.dropped else {},
    )
    with atomic.folder(output) as target:
        save_weights(fitted.model, target)
        card.write(target, values, command=command)
    shutil.rmtree(work)
    return output


def _fingerprint(queries: frozenset[str]) -> str:
    return hashlib.sha256("\n".join(sorted(queries)).encode()).hexdigest()[:16]


def _rows(folder: Path, stage: Stage, recipe: Recipe, gatherer: Gatherer) -> RowCounts:
    if (folder / ROWS).is_dir():
        return read_rows(folder / ROWS)[1]
    folder.mkdir(parents=True, exist_ok=True)
    mining = recipe.mining if stage.seed is None else replace(recipe.mining, seed=stage.seed)
    return write_rows(folder / ROWS, gatherer.stage(stage, mining), LOSS_RECIPES[LOSS].form, seed=recipe.seed)


def _settings(recipe: Recipe, stage: Stage, base: str) -> TrainSettings:
    return TrainSettings(
        LOSS,
        base=base,
        learning_rate=stage.learning_rate,
        batch=recipe.groups_per_step,
        max_length=recipe.max_length,
        dropout=recipe.dropout,
        seed=recipe.seed,
    )


def _kept(folder: Path, fitted: Fitted) -> str:
    """The weights of a stage, in float32, for the next one to start from."""
    if not (folder / MODEL).is_dir():
        with atomic.folder(folder / MODEL) as target:
            fitted.model.save_pretrained(str(target), create_model_card=False)
    return str(folder / MODEL)
