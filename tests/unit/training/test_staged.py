"""A recipe of stages trains one after the other, and one that was stopped ends with the same weights."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from indexing import precision
from indexing.errors import TrainingError
from tests.tiny_training import StoppedError
from training.groups import GroupSettings
from training.recipes import Ingredient, Recipe, Stage
from training.staged import make_in_stages
from training.watch import Progress

STAGES = (
    Stage("distil", (Ingredient("small", "distill", 4),), learning_rate=1e-3),
    Stage("judged", (Ingredient("small", "judged", 4, repeats=2),), learning_rate=1e-3),
)
WEIGHTS = "model.safetensors"


@pytest.fixture(scope="module", autouse=True)
def one_precision() -> Iterator[None]:
    """All in float32, so that weights can be compared."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(precision, "fastest_dtype", lambda on: torch.float32)
        yield


def make(output: Path, base: Path, root: Path, **given: Any) -> Path:
    recipe = Recipe(
        STAGES, base=str(base), max_length=64, groups_per_step=2, mining=GroupSettings(relative_margin=None)
    )
    usual: dict[str, Any] = {"protected": frozenset(), "command": "python -m training train", "root": root}
    return make_in_stages("tiny", given.pop("recipe", recipe), output, **(usual | given))


Whole = tuple[Path, list[Progress]]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, tiny_cross_encoder: Path, built_root: Path) -> Whole:
    """A version that nothing stopped, and its steps."""
    steps: list[Progress] = []
    output = tmp_path_factory.mktemp("whole") / "tiny/1"
    return make(output, tiny_cross_encoder, built_root, report=steps.append), steps


def test_the_version_tells_of_each_stage(whole: Whole) -> None:
    made, steps = whole
    values = json.loads((made / "manifest.json").read_text())
    assert {name: dict(counts) for name, counts in values["examples"].items()}.keys() == {"distil", "judged"}
    # each stage counts its own steps from 1, two groups a step
    firsts = [at.steps for at in steps if at.step == 1]
    assert len(firsts) == 2
    assert len(steps) == sum(firsts)
    assert not made.with_name(".1.training").exists()


def test_a_stop_in_the_second_stage_changes_nothing(
    whole: Whole, tmp_path: Path, tiny_cross_encoder: Path, built_root: Path
) -> None:
    stages = 0

    def stop(at: Progress) -> None:
        nonlocal stages
        stages += at.step == 1
        if stages == 2:
            raise StoppedError

    with pytest.raises(StoppedError):
        make(tmp_path / "stopped/1", tiny_cross_encoder, built_root, report=stop)
    assert not (tmp_path / "stopped/1").exists()
    resumed = make(tmp_path / "stopped/1", tiny_cross_encoder, built_root, resume=True)
    assert (resumed / WEIGHTS).read_bytes() == (whole[0] / WEIGHTS).read_bytes()


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory, tiny_cross_encoder: Path, built_root: Path) -> Path:
    """Where a version was to be whose training was stopped."""

    def stop(_: Progress) -> None:
        raise StoppedError

    output = tmp_path_factory.mktemp("stopped") / "1"
    with pytest.raises(StoppedError):
        make(output, tiny_cross_encoder, built_root, report=stop)
    return output


@pytest.mark.parametrize("given", [{"protected": frozenset({"bees"})}, {"recipe": Recipe(STAGES[:1], seed=5)}])
def test_rows_of_another_recipe_or_protection_are_not_gone_on_with(
    stopped: Path, tiny_cross_encoder: Path, built_root: Path, given: dict[str, Any]
) -> None:
    with pytest.raises(TrainingError, match=r"began with (protected queries|recipe) "):
        make(stopped, tiny_cross_encoder, built_root, resume=True, **given)


def test_a_recipe_without_stages_is_refused(tmp_path: Path, tiny_cross_encoder: Path, built_root: Path) -> None:
    with pytest.raises(TrainingError, match="Recipe tiny has no stage"):
        make(tmp_path / "1", tiny_cross_encoder, built_root, recipe=replace(Recipe(STAGES), stages=()))
