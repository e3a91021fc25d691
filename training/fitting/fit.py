"""Trains one model on the rows in a folder, from the start or from the last complete checkpoint."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from datasets import Dataset
from sentence_transformers.base.sampler import BatchSamplers, NoDuplicatesBatchSampler
from sentence_transformers.cross_encoder import CrossEncoderTrainingArguments
from transformers import TrainerState, set_seed

from indexing import atomic, precision
from indexing.errors import SettingsError, TrainingError, first_line
from indexing.notes import Note, log_note
from indexing.typed_json import made
from training.fitting import checkpoints, processes
from training.fitting.callback import Measure, ReportStep, TrainingMonitor
from training.fitting.checkpoints import BEST, EVALUATIONS, take_best
from training.fitting.dev_set import ModelInTraining
from training.fitting.model import PairModel, open_pair_model
from training.fitting.plan import PLAN, _planned_steps, in_bf16
from training.fitting.resuming import RECORD, find_start
from training.fitting.trainer import PairTrainer
from training.recipes.losses import counter, make_loss
from training.recipes.row_counts import RowCounts
from training.recipes.row_files import read_rows
from training.recipes.settings import FitSettings

ROWS = "rows"
SETTINGS = "settings.json"


@dataclass(frozen=True, kw_only=True)
class FittedModel:
    """A trained model, and the record of its training."""

    model: PairModel
    losses: dict[int, float]
    """Loss by step, of all steps that led to the model, those of earlier processes included."""
    best_ndcg: float | None
    """nDCG@10 of the model's weights on the dev set; None if nothing was evaluated."""
    counts: RowCounts
    steps: int
    pairs: int
    """(query, passage) pairs seen; a pair counts once per epoch."""


def fit(
    folder: Path,
    settings: FitSettings,
    *,
    resume: bool = False,
    measure: Measure | None = None,
    report: ReportStep = lambda _: None,
    note: Note = log_note,
) -> FittedModel:
    """Train on the rows in `folder`/rows, with checkpoints in `folder`.

    With `measure` and `settings.evaluate_every`, the model ends with the weights that were best on the dev set. With
    `resume` and a sound checkpoint, the same batches follow in the same order, and the final weights equal those of a
    training that was never stopped. A damaged checkpoint is passed over for an older one, which `note` is told.

    Raises:
        TrainingError: rows are absent; settings, rows, libraries or the device differ from those of the training to
            resume; memory is full; or the training diverged: a loss, or a score with the final weights, isn't finite.
    """
    rows, counts = read_rows(folder / ROWS)
    settings = _prepare(folder, settings, resume=resume)
    steps = _planned_steps(folder, settings, rows)
    start = find_start(folder, folder / ROWS, settings, steps=steps, resume=resume, note=note)
    settings = start.settings
    set_seed(settings.seed)
    model = open_pair_model(settings.base, max_length=settings.max_length, dropout=settings.dropout, seed=settings.seed)
    pairs_a_step = counts.pairs / counts.rows * settings.rows_a_step * processes.processes()
    monitor = TrainingMonitor(model, folder, settings, report=report, pairs_a_step=pairs_a_step, measure=measure)
    monitor.checkpoint = start.checkpoint
    trainer = _trainer(model, settings, rows, _arguments(folder, settings, steps), monitor, start.notes)
    trainer.part = int(start.resumed.get("part", trainer.part))
    trained = _train(trainer, monitor, start.checkpoint, steps)
    if measure is not None and settings.evaluate_every:
        take_best(model, folder)
    model.eval()
    _score_one(model, rows)
    return FittedModel(
        model=model,
        losses=monitor.losses,
        best_ndcg=monitor.best,
        counts=counts,
        steps=trained,
        pairs=round(trained * pairs_a_step),
    )


def _train(trainer: PairTrainer, monitor: TrainingMonitor, last: Path | None, steps: int) -> int:
    """Train to the end, from the checkpoint `last` if any; returns the number of steps that led to the weights."""
    done = 0 if last is None else checkpoints.step_of(last)
    if last is not None and (monitor.read_evaluations(done) or done >= steps):  # the trainer would do one more step
        trainer.restore(last)
        monitor.read_losses(TrainerState.load_from_json(str(last / checkpoints.STATE)))
    else:
        trainer.train(resume_from_checkpoint=None if last is None else str(last))
        done = int(trainer.state.global_step)
    if monitor.interrupted:
        raise KeyboardInterrupt
    return done


def _score_one(model: PairModel, rows: Dataset) -> None:
    """Raise TrainingError if the final weights give no finite score; the last loss is from before the last update."""
    query, texts = list(rows[0].values())[:2]
    ModelInTraining(model).score_pairs([query], [texts if isinstance(texts, str) else texts[0]])


def _prepare(folder: Path, settings: FitSettings, *, resume: bool) -> FitSettings:
    """Remove the plan and checkpoints of an earlier training here or, with `resume`, check that it can be resumed.

    Return the settings, with one epoch where that was recorded because epochs couldn't be left open then.
    """
    if resume and settings.epochs is None and (folder / SETTINGS).is_file():
        settings = replace(settings, epochs=1.0 if _read_settings(folder / SETTINGS).epochs == 1 else None)
    if processes.rank():
        return settings
    if not resume:
        for name in (PLAN, RECORD, EVALUATIONS):
            (folder / name).unlink(missing_ok=True)
        shutil.rmtree(folder / BEST, ignore_errors=True)
        for old in checkpoints.checkpoints(folder):
            shutil.rmtree(old)
    _check_settings(folder, settings, resume=resume)
    return settings


def _check_settings(folder: Path, settings: FitSettings, *, resume: bool) -> None:
    """Record the settings in the folder; raise TrainingError if a training would be resumed with other ones."""
    path = folder / SETTINGS
    if not (resume and path.is_file()):
        atomic.write_json(path, asdict(settings))
        return
    before = _read_settings(path)
    if before != settings:
        names = sorted(entry.name for entry in fields(FitSettings))
        name = next(name for name in names if getattr(before, name) != getattr(settings, name))
        noted, requested = getattr(before, name), getattr(settings, name)
        raise TrainingError(
            f"{folder} was trained with {name} {noted!r}, now it is {requested!r}; resume with the same settings, or "
            "begin in another folder."
        )


def _read_settings(path: Path) -> FitSettings:
    try:
        return made(FitSettings, json.loads(path.read_text(encoding="utf-8")), str(path))
    except (SettingsError, OSError, ValueError, RecursionError) as error:
        raise TrainingError(f"{path} is damaged ({first_line(error)}); delete {path.parent} and train anew.") from None


def _saves_memory(settings: FitSettings) -> dict[str, Any]:
    """The argument for gradient checkpointing, under the name that this version of transformers uses."""
    if not settings.gradient_checkpointing:
        return {}
    names = {entry.name for entry in fields(CrossEncoderTrainingArguments)}
    return {"activation_checkpointing" if "activation_checkpointing" in names else "gradient_checkpointing": True}


def _one_row_a_query(rows: Dataset, **options: Any) -> NoDuplicatesBatchSampler:
    """Batches in which no query stands twice, so that no passage relevant to it is another row's negative."""
    return NoDuplicatesBatchSampler(rows.select_columns(["query"]), **options)


def _arguments(folder: Path, settings: FitSettings, steps: int) -> CrossEncoderTrainingArguments:
    on_cpu = precision.device() == "cpu"
    arguments = CrossEncoderTrainingArguments(
        output_dir=str(folder),
        max_steps=steps,
        per_device_train_batch_size=settings.rows_a_step,
        batch_sampler=_one_row_a_query if settings.loss_recipe.whole_batch else BatchSamplers.BATCH_SAMPLER,
        learning_rate=settings.peak_rate,
        warmup_steps=settings.warmup,
        weight_decay=settings.weight_decay,
        max_grad_norm=1.0,
        optim="adamw_torch_fused",
        use_cpu=on_cpu,
        bf16=in_bf16(settings),
        **_saves_memory(settings),
        seed=settings.seed,
        logging_steps=1,
        logging_nan_inf_filter=False,
        save_strategy="steps" if settings.save_every else "no",
        save_steps=settings.save_every or 1,
        report_to=[],
        disable_tqdm=True,
        dataloader_pin_memory=not on_cpu,
        ddp_find_unused_parameters=False,
    )
    arguments.dataloader_drop_last = False  # else, with too few rows for all processes, none would be trained on
    return arguments


def _trainer(
    model: PairModel,
    settings: FitSettings,
    rows: Dataset,
    arguments: CrossEncoderTrainingArguments,
    monitor: TrainingMonitor,
    notes: Mapping[str, Any],
) -> PairTrainer:
    recipe = settings.loss_recipe
    trainer = PairTrainer(
        model=model,
        args=arguments,
        train_dataset=rows,
        loss=make_loss(recipe, model),
        callbacks=[monitor],
        micro_batch=min(settings.micro_batch or settings.rows_a_step, settings.rows_a_step),
        whole_batch=recipe.whole_batch,
        counter=counter(recipe),
        notes=notes,
    )
    for name in ("PrinterCallback", "ProgressCallback"):
        for callback in [entry for entry in trainer.callback_handler.callbacks if type(entry).__name__ == name]:
            trainer.remove_callback(callback)
    return trainer
