"""Plans the number of steps of a training; with a time limit, from the measured duration of a step."""

import json
import time
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset

from indexing import atomic, precision
from indexing.errors import TrainingError
from training.fitting import processes
from training.fitting.model import open_pair_model
from training.recipes.losses import make_loss
from training.recipes.settings import FitSettings

PLAN = "plan.json"
TIMED_STEPS = 3  # steps timed to find out how many fit; a part of one is done first and not counted
TIMED_SECONDS = 6.0  # where steps are slow, no more are timed after so long
LEAST_STEPS = 2  # that fit into any minutes: the first step of a warm-up learns nothing
FIRST_SHARE = 8  # of the rows of a step, one in so many in that part


def steps_of(settings: FitSettings, rows: int) -> int:
    """Optimizer steps by `steps` if set, else by `epochs`, else for one epoch."""
    an_epoch = -(-rows // (settings.rows_a_step * processes.processes()))
    return settings.steps or max(1, round((settings.epochs or 1) * an_epoch))


def _planned_steps(folder: Path, settings: FitSettings, rows: Dataset) -> int:
    """Number of steps to train, recorded so that a resumed training has the same; `minutes` limits it by measuring."""
    path = folder / PLAN
    if processes.rank():
        processes.wait_for(path)
    if path.is_file():
        return _read_steps(path)
    steps = steps_of(settings, len(rows))
    if settings.minutes is not None:
        fitting = max(LEAST_STEPS, steps_within(settings.minutes, settings, rows))
        steps = fitting if settings.steps is None and settings.epochs is None else min(steps, fitting)
    atomic.write_json(path, {"steps": steps})
    return steps


def _read_steps(path: Path) -> int:
    try:
        steps = json.loads(path.read_text(encoding="utf-8"))["steps"]
        if type(steps) is int and steps > 0:
            return steps
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        pass
    raise TrainingError(f"{path} is damaged; delete {path.parent} and train anew.")


def steps_within(minutes: float, settings: FitSettings, rows: Dataset) -> int:
    """Number of steps that fit into so many minutes, from timing a few of them."""
    return int(minutes * 60 / seconds_a_step(settings, rows))


def seconds_a_step(settings: FitSettings, rows: Dataset) -> float:
    """Mean duration of a step on rows from all over the data, measured with a separate model in a few steps."""
    model = open_pair_model(settings.base, max_length=settings.max_length, dropout=settings.dropout, seed=settings.seed)
    loss = make_loss(settings.loss_recipe, model)
    stride = max(1, len(rows) // (settings.rows_a_step * (TIMED_STEPS + 1)))
    names = [name for name in rows.column_names if name not in ("label", "labels")]
    seconds: list[float] = []
    for number in range(TIMED_STEPS + 1):
        count = settings.rows_a_step if number else max(2, settings.rows_a_step // FIRST_SHARE)
        batch = rows[[(number * settings.rows_a_step + row) * stride % len(rows) for row in range(count)]]
        start = time.monotonic()
        with torch.autocast(model.device.type, dtype=torch.bfloat16, enabled=in_bf16(settings)):
            loss([list(batch[name]) for name in names], _label(batch)).backward()
        if number:
            seconds.append(time.monotonic() - start)
        if sum(seconds) > TIMED_SECONDS:
            break
    return sum(seconds) / len(seconds)


def _label(batch: dict[str, Any]) -> Any:
    if "labels" in batch:
        return [torch.tensor(values) for values in batch["labels"]]
    return torch.tensor(batch["label"]) if "label" in batch else None


def in_bf16(settings: FitSettings) -> bool:
    """Whether products are computed in bfloat16: as set or, with `auto`, if that is faster on this machine."""
    if settings.precision == "auto":
        return precision.fastest_dtype(precision.device()) == torch.bfloat16
    return settings.precision == "bf16"
