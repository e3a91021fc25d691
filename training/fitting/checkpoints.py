"""Checkpoints, which are either complete or absent and carry checksums, and the best weights so far."""

import hashlib
import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors.torch import load_model, save_model

from indexing import atomic
from indexing.errors import TrainingError
from training.fitting.model import PairModel

NAME = re.compile(r"checkpoint-(\d{1,9})")
PARTIAL = ".partial"
STATE = "trainer_state.json"
WEIGHTS = "model.safetensors"
BEST = "best"
EVALUATIONS = "evaluations.json"
SEAL = "checksums.json"
DAMAGED = "damaged-"  # before the name of a checkpoint that was passed over
KEPT = 2  # the last one, and the one before it


def partial_folder(folder: Path) -> Path:
    """Make the empty folder in which a checkpoint is first written; leftovers of an earlier stop are removed."""
    work = folder / PARTIAL
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    return work


def publish_checkpoint(folder: Path, notes: Mapping[str, Any] | None = None) -> Path:
    """Seal the checkpoint in the partial folder, sync it, move it to its place, and remove all but the last KEPT.

    `notes` are what else a resumed training must know.
    """
    written = next(path for path in (folder / PARTIAL).iterdir() if NAME.fullmatch(path.name))
    seal(written, notes or {})
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
    """Checkpoints that were published, oldest first; half-written ones never have such a name."""
    named = [path for path in folder.glob("checkpoint-*") if NAME.fullmatch(path.name)]
    whole = [path for path in named if (path / STATE).is_file() or (path / SEAL).is_file()]
    return sorted(whole, key=step_of)


def step_of(checkpoint: Path) -> int:
    """The number of optimizer steps that led to a checkpoint."""
    return int(checkpoint.name.partition("-")[2])


def digest(values: Any) -> str:
    """The SHA-256 of plain data, in hexadecimal."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def seal(folder: Path, notes: Mapping[str, Any]) -> None:
    """Write size and checksum of each file of a folder, and `notes`, to its SEAL."""
    files = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
    content = {"files": {name: atomic.file_row(path) for name, path in files.items() if name != SEAL}, "notes": notes}
    atomic.write_json(folder / SEAL, {**content, "sha256": digest(content)})


def read_seal(folder: Path) -> tuple[dict[str, Any], str]:
    """The notes of a sealed folder, and what is wrong with the folder; empty if nothing is."""
    try:
        values = json.loads((folder / SEAL).read_text(encoding="utf-8"))
        content = {name: values[name] for name in ("files", "notes")}
        if values["sha256"] != digest(content):
            return {}, f"{SEAL} has been changed"
    except FileNotFoundError:
        return {}, f"{SEAL} is absent"
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return {}, f"{SEAL} can't be read"
    present = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()}
    if more := sorted(present - content["files"].keys() - {SEAL}):
        return content["notes"], f"{more[0]} doesn't belong to it"
    try:
        return content["notes"], next(iter(atomic.changed_files(folder, content["files"], full=True)), "")
    except OSError as error:
        return content["notes"], f"{error.filename} can't be read ({error.strerror})"


def set_aside(checkpoint: Path) -> Path:
    """Rename a checkpoint that can't be used, so that it is neither used nor counted; nothing of it is removed."""
    number, target = 1, checkpoint.with_name(f"{DAMAGED}{checkpoint.name}")
    while target.exists():
        number += 1
        target = checkpoint.with_name(f"{DAMAGED}{checkpoint.name}.{number}")
    checkpoint.rename(target)
    return target


def keep_checkpoint(model: PairModel, folder: Path, *, step: int = 0) -> None:
    """Replace the weights in `folder` by the model's, after so many steps; a complete copy exists at every moment."""
    older = folder.with_name(f"{folder.name}.older")
    shutil.rmtree(older, ignore_errors=True)
    if folder.is_dir():
        folder.rename(older)
    with atomic.folder(folder) as work:
        save_model(model, str(work / WEIGHTS))
        seal(work, {"step": step})
    shutil.rmtree(older, ignore_errors=True)


def best_weights(folder: Path) -> tuple[Path, int | None, str] | None:
    """The best weights that were saved, the step after which they were, and what is wrong with them; None without any.

    The step is None where it isn't known.
    """
    for name in (BEST, f"{BEST}.older"):
        path = folder / name
        if (path / SEAL).is_file():
            notes, fault = read_seal(path)
            step = notes.get("step")
            return path / WEIGHTS, step if type(step) is int else None, fault
        if (path / WEIGHTS).is_file():  # of a training that was begun before there were seals
            return path / WEIGHTS, None, ""
    return None


def take_best(model: PairModel, folder: Path) -> bool:
    """Load the best weights that were saved; False if none were.

    Raises:
        TrainingError: they are damaged.
    """
    found = best_weights(folder)
    if found is None:
        return False
    path, _, fault = found
    try:
        if not fault:
            load_model(model, str(path))
            return True
    except Exception as error:  # of safetensors and torch, for a file without a seal
        fault = type(error).__name__
    raise TrainingError(
        f"The best weights, {path}, are damaged ({fault}); resume the training, which makes them again, or delete "
        f"{folder}."
    )
