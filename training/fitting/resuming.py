"""Decides where a training resumes, and refuses where the rest couldn't be the same to the last bit."""

import json
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from transformers.trainer_pt_utils import safe_globals

from indexing import atomic, precision
from indexing.errors import TrainingError
from indexing.notes import Note
from indexing.pretrained import bundled_path
from training.fitting import checkpoints, processes
from training.fitting.checkpoints import EVALUATIONS, SEAL, STATE, WEIGHTS, digest
from training.fitting.plan import PLAN, in_bf16
from training.recipes.row_files import ROWS as ROWS_FILE
from training.recipes.settings import FitSettings

RECORD = "record.json"
LIBRARIES = ("torch", "transformers", "sentence-transformers", "accelerate", "tokenizers", "numpy")
TEXT_FILES = (".json", ".txt", ".model")  # of a base model: its configuration and its tokenizer
STATES = ("optimizer.pt", "scheduler.pt")  # of a checkpoint, beside weights, random numbers and the trainer's state
ROWS_HASH, STEPS, EVALUATED_IN = "rows", "steps", "precision of evaluations"
FORMATS = {str(dtype): dtype for dtype in (torch.float32, torch.bfloat16, torch.float16)}


@dataclass(frozen=True)
class Start:
    """From where a training goes on, and how."""

    settings: FitSettings
    """With the precision that was measured when it began."""
    checkpoint: Path | None
    """None to begin at the first step."""
    notes: Mapping[str, Any]
    """What each checkpoint is sealed with."""
    resumed: Mapping[str, Any]
    """What `checkpoint` was sealed with."""


def find_start(folder: Path, rows: Path, settings: FitSettings, *, steps: int, resume: bool, note: Note) -> Start:
    """Choose the newest sound checkpoint, and record what the training is computed with.

    A damaged checkpoint is passed over for the one before it, which `note` is told; it is renamed, not removed.

    Raises:
        TrainingError: what the rows or the weights are computed from differs from the record of the training's begin.
    """
    before = _read_record(folder) if resume else None
    settings = _as_before(settings, before)
    now = _surroundings(settings, rows, steps)
    identity = _identity(settings, now)
    if before is not None:
        _check_rows(folder, before, now)
    last, resumed = _newest(folder, identity, sealed=before is not None, note=note) if resume else (None, {})
    if before is not None and last is not None:
        _check_same(folder, before, now)
    if processes.rank() == 0:
        atomic.write_json(folder / RECORD, {"surroundings": now, "sha256": digest(now)})
    return Start(settings, last, {"training": identity}, resumed)


def read_evaluations(folder: Path, checkpoint: Path | None) -> dict[int, float]:
    """nDCG@10 by step, as a checkpoint holds it, or the folder for one of a training begun before that.

    Raises:
        TrainingError: the file can't be read.
    """
    sealed = checkpoint is not None and (checkpoint / SEAL).is_file()
    path = (checkpoint if sealed and checkpoint is not None else folder) / EVALUATIONS
    try:
        values = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        return {int(step): float(value) for step, value in values.items()}
    except (OSError, ValueError, TypeError, AttributeError, RecursionError, OverflowError):
        raise TrainingError(
            f"{path} is damaged, so the best weights of the training aren't known; delete {folder} and train anew."
        ) from None


def _read_record(folder: Path) -> dict[str, Any] | None:
    path = folder / RECORD
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        if values["sha256"] == digest(values["surroundings"]):
            return dict(values["surroundings"])
    except FileNotFoundError:  # nothing was trained yet, or before there were records
        return None
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        pass
    raise TrainingError(
        f"{path} is damaged, so nobody can tell whether the training would go on as it began; delete that file to "
        f"resume all the same, or {folder} to train anew."
    )


def _as_before(settings: FitSettings, before: Mapping[str, Any] | None) -> FitSettings:
    """The settings with a measured precision made explicit; on the same device, threads and evaluations as before.

    Which format is the fastest is measured by every process, and where two are about equal it isn't always the same.
    """
    if before is not None and type(before.get("threads")) is int and before["threads"] > 0:
        torch.set_num_threads(before["threads"])
    if before is not None and before.get(EVALUATED_IN) in FORMATS and before.get("device") == _device():
        precision.settle(precision.device(), FORMATS[before[EVALUATED_IN]])
    fast = in_bf16(settings) if before is None or settings.precision != "auto" else before.get("precision") == "bf16"
    return replace(settings, precision="bf16" if fast else "float32")


def _surroundings(settings: FitSettings, rows: Path, steps: int) -> dict[str, Any]:
    """Everything besides the settings that the final weights depend on."""
    values: dict[str, Any] = {name: version(name) for name in LIBRARIES}
    values |= {
        "Python": platform.python_version().rpartition(".")[0],
        "device": _device(),
        "threads": torch.get_num_threads(),
    }
    values |= {"processes": processes.processes(), "precision": settings.precision, STEPS: steps}
    if settings.evaluate_every:
        values[EVALUATED_IN] = str(precision.fastest_dtype(precision.device()))
    base = Path(bundled_path(settings.base))
    files = sorted(path for path in base.glob("*") if path.suffix in TEXT_FILES) if base.is_dir() else []
    hashes = {path.name: atomic.sha256(path) for path in files if path.is_file() and path.name != "manifest.json"}
    values["base model"] = digest(hashes)[:16]
    return {**values, ROWS_HASH: atomic.sha256(rows / ROWS_FILE)[:16]}


def _identity(settings: FitSettings, surroundings: Mapping[str, Any]) -> str:
    """What tells the checkpoints of one training from those of another."""
    parts = {name: surroundings[name] for name in ("base model", ROWS_HASH)}
    return digest([asdict(settings), parts])[:16]


def _device() -> str:
    if precision.device() == "cuda":
        return torch.cuda.get_device_name()
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines() if cpuinfo.is_file() else []
    name = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
    return f"{name}, {torch.backends.cpu.get_cpu_capability()}"


def _check_rows(folder: Path, before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Compare what a training reads from its folder even if it begins anew there."""
    if before.get(ROWS_HASH) != now[ROWS_HASH]:
        raise TrainingError(
            f"The rows in {folder} aren't those that the training began with: a file there is damaged; delete "
            f"{folder} and train anew."
        )
    if before.get(STEPS) != now[STEPS]:
        raise TrainingError(
            f"{folder / PLAN} says {now[STEPS]:,} steps, the training began with {before.get(STEPS)}: the file is "
            f"damaged; delete {folder} and train anew."
        )


def _check_same(folder: Path, before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Compare everything, since a checkpoint goes on."""
    changed = sorted(name for name in now if before.get(name) != now[name])
    if changed:
        name = changed[0]
        raise TrainingError(
            f"{folder} was trained with {name} {before.get(name)}, now it is {now[name]}, so the rest wouldn't be the "
            f"same to the last bit; resume as it began, delete {folder / RECORD} to resume all the same, or {folder} "
            "to train anew."
        )


def _newest(folder: Path, identity: str, *, sealed: bool, note: Note) -> tuple[Path | None, Mapping[str, Any]]:
    """The newest checkpoint that can be used, and its notes; `sealed` says that all of the training have seals."""
    passed: list[str] = []
    for checkpoint in reversed(checkpoints.checkpoints(folder)):
        notes: Mapping[str, Any] = {}
        if sealed or (checkpoint / SEAL).is_file():
            notes, fault = checkpoints.read_seal(checkpoint)
            if not fault and notes.get("training") != identity:
                fault = "it is of another training"
            fault = fault or _fault_of_best(folder, checkpoint)
        else:
            fault = _fault_without_seal(checkpoint)
        if not fault:
            _tell(passed, f"the training goes on from {checkpoint.name}", note)
            return checkpoint, notes
        passed.append(f"{checkpoint} can't be used ({fault})")
        if processes.rank() == 0:
            checkpoints.set_aside(checkpoint)
    _tell(passed, "the training begins anew", note)
    return None, {}


def _tell(passed: list[str], what: str, note: Note) -> None:
    for sentence in passed:
        note(f"Checkpoint {sentence}: it was renamed, and {what}.")


def _fault_of_best(folder: Path, checkpoint: Path) -> str:
    """What is wrong with the best weights, where a training that goes on from a checkpoint might need them."""
    step = checkpoints.step_of(checkpoint)
    history = {at: value for at, value in read_evaluations(folder, checkpoint).items() if at <= step}
    found = checkpoints.best_weights(folder)
    if not history:
        return ""
    best = min(history, key=lambda at: (-history[at], at))
    if found is None:
        return f"the best weights, of step {best}, are absent"
    _, saved, fault = found
    if saved is None and not fault:  # of a training that was begun before there were seals
        return ""
    if saved is not None and saved > step:  # they are made again
        return ""
    return f"the best weights, of step {best}, are damaged: {fault}" if fault or saved != best else ""


def _fault_without_seal(checkpoint: Path) -> str:
    """What is wrong with a checkpoint of a training that began before there were seals: files that can't be loaded."""
    try:
        state = json.loads((checkpoint / STATE).read_text(encoding="utf-8"))
        if state["global_step"] != checkpoints.step_of(checkpoint):
            return f"its {STATE} is of step {state['global_step']}"
        with safe_open(checkpoint / WEIGHTS, framework="pt") as weights:
            list(weights.keys())
        states = [*(checkpoint / name for name in STATES), *checkpoint.glob("rng_state*.pth")]
        if len(states) == len(STATES):
            return "rng_state.pth is absent"
        for path in states:
            with safe_globals():  # type: ignore[no-untyped-call]  # untyped in transformers
                torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # of json, safetensors, zipfile and torch
        return f"a file of it can't be loaded: {type(error).__name__}"
    return ""
