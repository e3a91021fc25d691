"""A recipe of stages trains one after the other, and one that was stopped ends with the same weights."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from indexing.errors import TrainingError
from tests.tiny_training import StoppedError
from training.groups import GroupSettings
from training.recipes import Ingredient, Recipe, Stage
from training.staged import make_in_stages
from training.watch import Progress

pytestmark = pytest.mark.usefixtures("in_float32")
STAGES = (
    Stage("distil", (Ingredient("small", "distill", 4),), learning_rate=1e-3),
    Stage("judged", (Ingredient("small", "judged", 4, repeats=2),), learning_rate=1e-3),
)
WEIGHTS = "model.safetensors"


def make(output: Path, base: Path, root: Path, **given: Any) -> Path:
    recipe = Recipe(
        STAGES, base=str(base), max_length=64, groups_per_step=2, mining=GroupSettings(relative_margin=None)
    )
    usual: dict[str, Any] = {"protected": frozenset(), "command": "python -m training train", "root": root}
    return make_in_stages("tiny", given.pop("recipe", recipe), output, **(usual | given))


def test_the_version_tells_of_each_stage(tmp_path: Path, tiny_cross_encoder: Path, built_root: Path) -> None:
    steps: list[Progress] = []
    made = make(tmp_path / "tiny/1", tiny_cross_encoder, built_root, report=steps.append)
    values = json.loads((made / "manifest.json").read_text())
    assert {name: dict(counts) for name, counts in values["examples"].items()}.keys() == {"distil", "judged"}
    # each stage counts its own steps from 1, two groups a step
    firsts = [at.steps for at in steps if at.step == 1]
    assert len(firsts) == 2
    assert len(steps) == sum(firsts)
    assert not (tmp_path / "tiny/.1.training").exists()


def test_a_stop_in_the_second_stage_changes_nothing(tmp_path: Path, tiny_cross_encoder: Path, built_root: Path) -> None:
    stages = 0

    def stop(at: Progress) -> None:
        nonlocal stages
        stages += at.step == 1
        if stages == 2:
            raise StoppedError

    whole = make(tmp_path / "whole/1", tiny_cross_encoder, built_root)
    with pytest.raises(StoppedError):
        make(tmp_path / "stopped/1", tiny_cross_encoder, built_root, report=stop)
    assert not (tmp_path / "stopped/1").exists()
    resumed = make(tmp_path / "stopped/1", tiny_cross_encoder, built_root, resume=True)
    assert (resumed / WEIGHTS).read_bytes() == (whole / WEIGHTS).read_bytes()


@pytest.mark.parametrize("given", [{"protected": frozenset({"bees"})}, {"recipe": Recipe(STAGES[:1], seed=5)}])
def test_rows_of_another_recipe_or_protection_are_not_gone_on_with(
    tmp_path: Path, tiny_cross_encoder: Path, built_root: Path, given: dict[str, Any]
) -> None:
    def stop(_: Progress) -> None:
        raise StoppedError

    with pytest.raises(StoppedError):
        make(tmp_path / "1", tiny_cross_encoder, built_root, report=stop)
    with pytest.raises(TrainingError, match=r"began with (protected queries|recipe) "):
        make(tmp_path / "1", tiny_cross_encoder, built_root, resume=True, **given)


def test_a_recipe_without_stages_is_refused(tmp_path: Path, tiny_cross_encoder: Path, built_root: Path) -> None:
    with pytest.raises(TrainingError, match="Recipe tiny has no stage"):
        make(tmp_path / "1", tiny_cross_encoder, built_root, recipe=replace(Recipe(STAGES), stages=()))
