"""Checkpoints that are whole or not there, and the best weights among them."""

import re
import shutil
from pathlib import Path

from safetensors.torch import load_model, save_model

from indexing import atomic
from training.fitting.model import PairModel

NAME = re.compile(r"checkpoint-(\d+)")
PARTIAL = ".partial"
STATE = "trainer_state.json"
KEPT = 2  # the last one, and the one before it


def partial_folder(folder: Path) -> Path:
    """Where a checkpoint is written first; what an earlier stop left there is removed."""
    work = folder / PARTIAL
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    return work


def publish(folder: Path) -> Path:
    """Sync what lies in the partial folder, give it its name, and remove all but the last KEPT."""
    written = next(path for path in (folder / PARTIAL).iterdir() if NAME.fullmatch(path.name))
    for path in [*written.rglob("*"), written]:
        atomic.fsync_path(path)
    target = folder / written.name
    shutil.rmtree(target, ignore_errors=True)
    written.replace(target)
    atomic.fsync_path(folder)
    shutil.rmtree(folder / PARTIAL, ignore_errors=True)
    for old in checkpoints(folder)[:-KEPT]:
        shutil.rmtree(old)
    return target


def checkpoints(folder: Path) -> list[Path]:
    """Whole checkpoints, oldest first. Half-written ones never bear this name."""
    whole = [path for path in folder.glob("checkpoint-*") if NAME.fullmatch(path.name) and (path / STATE).is_file()]
    return sorted(whole, key=lambda path: int(path.name.partition("-")[2]))


def step_of(checkpoint: Path) -> int:
    """Steps of the optimiser that it holds."""
    return int(checkpoint.name.partition("-")[2])


WEIGHTS = "model.safetensors"
BEST = "best"


def keep(model: PairModel, folder: Path) -> None:
    """Put the model's weights, whole, in place of those that `folder` has."""
    older = folder.with_name(f"{folder.name}.older")
    shutil.rmtree(older, ignore_errors=True)
    if folder.is_dir():
        folder.rename(older)
    with atomic.folder(folder) as work:
        save_model(model, str(work / WEIGHTS))
    shutil.rmtree(older, ignore_errors=True)


def take_best(model: PairModel, folder: Path) -> bool:
    """Load the best weights that were kept; False where none were."""
    for name in (BEST, f"{BEST}.older"):
        path = folder / name / WEIGHTS
        if path.is_file():
            load_model(model, str(path))
            return True
    return False
