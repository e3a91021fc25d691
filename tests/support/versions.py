"""Makes versions on disk from the tiny cross-encoder, as training leaves them."""

import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from training.recipes.stages import Ingredient, Stage, StagePlan
from training.versions.manifest import VersionManifest
from training.versions.recording import TrainingOutcome, record, write_manifest

STAGE = Stage("learn", (Ingredient("small", "judged", 2),), learning_rate=1e-4)
EXAMPLES = {"learn": {"judged small": 3}}
REVISION = "0123456789abcdef0123456789abcdef01234567"


def make_manifest(base: str = "tiny/base", **changes: Any) -> VersionManifest:
    """A manifest but for its files; `changes` are fields of the training's outcome, or `data` and `protect`."""
    recorded = {name: changes.pop(name) for name in ("data", "protect") if name in changes}
    figures = {"examples": EXAMPLES, "pairs": 6, "losses": {"learn": 0.5}, "minutes": 1.26, **changes}
    settings = asdict(StagePlan(stages=(STAGE,), base=base, seed=23))
    return record("tiny", settings, TrainingOutcome(**figures), revision=REVISION, **recorded)


def make_version(models: Path, name: str, weights: Path, *, sign: float = 1.0, base: str = "tiny/base") -> Path:
    """A whole version models/NAME; its logits are those of the folder `weights`, times `sign`."""
    folder = Path(shutil.copytree(weights, models / name))
    tensors = load_file(folder / "model.safetensors")
    for part in ("classifier.weight", "classifier.bias"):
        tensors[part] = torch.mul(tensors[part], sign)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    write_manifest(folder, make_manifest(base), command="python -m training train")
    return folder
