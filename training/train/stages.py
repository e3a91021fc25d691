"""Trains by a recipe of stages: each on examples of its own, from the weights of the stage before.

As with one stage, `work` beside the version holds rows and checkpoints until it is there, and a training that was
stopped goes on.
"""

import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from indexing import atomic, places, provenance
from indexing.errors import TrainingError
from indexing.progress import Progress, silent
from search.served import VERSION, reranker_path
from training.data.ingredients import Gatherer
from training.fitting.callback import ReportStep
from training.fitting.fit import ROWS, Fitted, fit
from training.fitting.model import save_weights
from training.recipes.catalog import COLD_START
from training.recipes.row_files import RowCounts, read_rows, write_rows
from training.recipes.settings import TrainSettings
from training.recipes.stages import Stage, StagePlan
from training.train.inputs import protection_beside
from training.train.train import last_loss
from training.train.workspace import Spent, hold, keep_asked
from training.versions import recording

LOSS = COLD_START.name  # ListNet's cross-entropy on lists of target logits, whoever gave them
MODEL = "model"


def make_in_stages(
    name: str,
    recipe: StagePlan,
    output: Path,
    *,
    protect: Sequence[Path] = (),
    root: Path | None = None,
    resume: bool = False,
    progress: Progress = silent,
    report: ReportStep = lambda _: None,
    command: str,
) -> Path:
    """Gather and train stage by stage, and put the version at `output`; gives that back.

    No query is trained on that a file of `protect` names, or a judged split but train beside an index that is read.

    Raises:
        TrainingError: the recipe has no stage, or as `request.hold` says.
        SecondLookError: as data and base model say.
    """
    root, recipe = root or places.indexes(), replace(recipe, base=model_path(recipe.base))
    if not recipe.stages:
        raise TrainingError(f"Recipe {name} has no stage to train; give it one.")
    indexes = recipe.indexes()
    protection = protection_beside(indexes, protect, root=root)
    with hold(output, resume=resume) as work:
        origin = {"recipe": plan_values(recipe), "root": str(root), "protected queries": protection.fingerprint()}
        keep_asked(work, origin)
        spent = Spent(work)
        progress, report = spent.beside(progress), spent.beside(report)
        revision, protected = provenance.code_revision(), recording.protected_files(protect)
        gatherer = Gatherer(root=root, protection=protection, progress=progress)
        counts: dict[str, dict[str, int]] = {}
        dropped: Counter[str] = Counter()
        losses: dict[str, float] = {}
        pairs, base = 0, recipe.base
        for number, stage in enumerate(recipe.stages, start=1):
            folder = work / f"stage-{number}"
            rows = _rows(folder, stage.with_itself(base), recipe, gatherer)
            counts[stage.name] = rows.examples
            dropped.update(rows.dropped)
            fitted = fit(folder, _settings(recipe, stage, base), resume=resume, report=report)
            losses[stage.name], pairs = last_loss(fitted.losses), pairs + fitted.pairs
            base = _kept(folder, fitted)
        outcome = recording.TrainingOutcome(
            examples=counts, dropped=dropped, pairs=pairs, losses=losses, minutes=spent.minutes
        )
        values = recording.record(
            name,
            plan_values(recipe),
            outcome,
            revision=revision,
            data=recording.index_builds(indexes, root=root),
            protect=protected,
        )
        with atomic.folder(output) as target:
            save_weights(fitted.model, target)
            recording.write(target, values, command=command)
        shutil.rmtree(work)
    return output


def plan_values(plan: StagePlan) -> dict[str, Any]:
    """What decides a training by the plan, as plain data for its work folder and its manifest."""
    values = asdict(plan)
    del values["learns_from"]
    return values


def model_path(name: str) -> str:
    """Where a model lies: a version of this id in the folder of models; any other name is returned as it is."""
    return reranker_path(name) if VERSION.fullmatch(name) else name


def _rows(folder: Path, stage: Stage, recipe: StagePlan, gatherer: Gatherer) -> RowCounts:
    if (folder / ROWS).is_dir():
        return read_rows(folder / ROWS)[1]
    folder.mkdir(parents=True, exist_ok=True)
    mining = recipe.mining if stage.seed is None else replace(recipe.mining, seed=stage.seed)
    before = gatherer.dropped
    examples = gatherer.stage(stage, mining)
    dropped = +Counter({"protected": gatherer.dropped - before})
    return write_rows(folder / ROWS, examples, COLD_START.form, seed=recipe.seed, dropped=dropped)


def _settings(recipe: StagePlan, stage: Stage, base: str) -> TrainSettings:
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
