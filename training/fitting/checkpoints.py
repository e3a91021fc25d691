"""Checkpoints, which are either complete or absent, and the best weights so far."""

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
    """Make the empty folder in which a checkpoint is first written; leftovers of an earlier stop are removed."""
    work = folder / PARTIAL
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    return work


def publish_checkpoint(folder: Path) -> Path:
    """Sync the checkpoint in the partial folder, move it to its place, and remove all but the last KEPT."""
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
    """Complete checkpoints, oldest first; half-written ones never have such a name."""
    whole = [path for path in folder.glob("checkpoint-*") if NAME.fullmatch(path.name) and (path / STATE).is_file()]
    return sorted(whole, key=lambda path: int(path.name.partition("-")[2]))


def step_of(checkpoint: Path) -> int:
    """The number of optimizer steps that led to a checkpoint."""
    return int(checkpoint.name.partition("-")[2])


WEIGHTS = "model.safetensors"
BEST = "best"


def keep_checkpoint(model: PairModel, folder: Path) -> None:
    """Replace the weights in `folder` by the model's; a complete copy exists at every moment."""
    older = folder.with_name(f"{folder.name}.older")
    shutil.rmtree(older, ignore_errors=True)
    if folder.is_dir():
        folder.rename(older)
    with atomic.folder(folder) as work:
        save_model(model, str(work / WEIGHTS))
    shutil.rmtree(older, ignore_errors=True)


def take_best(model: PairModel, folder: Path) -> bool:
    """Load the best weights that were saved; False if none were."""
    for name in (BEST, f"{BEST}.older"):
        path = folder / name / WEIGHTS
        if path.is_file():
            load_model(model, str(path))
            return True
    return False
