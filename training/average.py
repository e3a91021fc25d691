"""The mean of two versions' weights: what one learned last, without losing all that the other knew.

A model and one that was trained on from it lie so near each other that a point between them often does better than
either on data that only one of them was made for (Wortsman et al. 2022, "Robust fine-tuning of zero-shot models"). So
may two that were trained from the same base on other data (the same, "Model soups").
"""

import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from indexing import atomic
from indexing.errors import SettingsError, TrainingError
from indexing.manifest import FILE
from training import card
from training.new_output import check_new
from training.registry import WEIGHTS, Version

RECIPE = "average"
MODEL = f"model{WEIGHTS}"


def average(first: Version, second: Version, output: Path, *, share: float = 0.5, command: str) -> Path:
    """Put a version at `output` whose weights are `share` of the second's and the rest of the first's.

    Tokenizer and configuration are the second's, and so is the parent in its lineage.

    Raises:
        SettingsError: the share isn't between 0 and 1.
        TrainingError: the output is there, or the two aren't of one shape.
    """
    if not 0 < share < 1:
        raise SettingsError(f"share is {share}; give a number between 0 and 1.")
    check_new(output)
    weights = _mean(_weights(first), _weights(second), share, f"{first.id} and {second.id}")
    values = card.record(
        RECIPE,
        {
            "base": str(second.folder),
            "seed": second.manifest.get("seed", 0),
            "averaged": [first.id, second.id],
            "share": share,
        },
        examples={},
        pairs=0,
        losses={},
        minutes=0.0,
        revision=card.code_revision(),
        data=_data(first, second),
    )
    values["ms_marco"] = values["ms_marco"] or bool(first.manifest.get("ms_marco", True))
    with atomic.folder(output) as target:
        shutil.copytree(second.folder, target, ignore=shutil.ignore_patterns(FILE, f"*{WEIGHTS}"), dirs_exist_ok=True)
        save_file(weights, target / MODEL, metadata={"format": "pt"})
        card.write(target, values, command=command)
    return output


def _weights(version: Version) -> dict[str, Tensor]:
    found: dict[str, Tensor] = load_file(version.folder / MODEL)
    return found


def _mean(first: dict[str, Tensor], second: dict[str, Tensor], share: float, names: str) -> dict[str, Tensor]:
    shapes = [{name: tuple(values.shape) for name, values in weights.items()} for weights in (first, second)]
    if shapes[0] != shapes[1]:
        raise TrainingError(f"The weights of {names} aren't of one shape; average versions of the same base model.")
    return {name: torch.lerp(first[name].float(), last.float(), share).to(last.dtype) for name, last in second.items()}


def _data(first: Version, second: Version) -> list[dict[str, object]]:
    """What either was trained on, once."""
    rows = [*second.manifest.get("data", []), *first.manifest.get("data", [])]
    return [row for number, row in enumerate(rows) if row not in rows[:number]]
