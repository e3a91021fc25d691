"""A recipe of stages trains one after the other, and one that was stopped ends with the same weights."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from indexing import precision
from indexing.errors import SettingsError, TrainingError
from search.rerank import CrossEncoderReranker
from tests.tiny_training import StoppedError
from training.groups import GroupSettings
from training.recipes import Ingredient, Recipe, Stage
from training.row_files import read_rows
from training.staged import make_in_stages
from training.watch import Progress, Report

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


def stop_in(stage: int) -> Report:
    """Stops a training after the first step of this stage, counted from 1."""
    begun = 0

    def stop(at: Progress) -> None:
        nonlocal begun
        begun += at.step == 1
        if begun == stage:
            raise StoppedError

    return stop


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
    with pytest.raises(StoppedError):
        make(tmp_path / "stopped/1", tiny_cross_encoder, built_root, report=stop_in(2))
    assert not (tmp_path / "stopped/1").exists()
    resumed = make(tmp_path / "stopped/1", tiny_cross_encoder, built_root, resume=True)
    assert (resumed / WEIGHTS).read_bytes() == (whole[0] / WEIGHTS).read_bytes()


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory, tiny_cross_encoder: Path, built_root: Path) -> Path:
    """Where a version was to be whose training was stopped."""
    output = tmp_path_factory.mktemp("stopped") / "1"
    with pytest.raises(StoppedError):
        make(output, tiny_cross_encoder, built_root, report=stop_in(1))
    return output


@pytest.mark.parametrize("given", [{"protected": frozenset({"bees"})}, {"recipe": Recipe(STAGES[:1], seed=5)}])
def test_rows_of_another_recipe_or_protection_are_not_gone_on_with(
    stopped: Path, tiny_cross_encoder: Path, built_root: Path, given: dict[str, Any]
) -> None:
    with pytest.raises(TrainingError, match=r"began with (protected queries|recipe) "):
        make(stopped, tiny_cross_encoder, built_root, resume=True, **given)


LEARNING = (
    STAGES[1],
    Stage("itself", (Ingredient("small", "distill", 2, teacher="itself"),), learning_rate=1e-3, seed=29),
)


def test_a_stage_learns_from_the_re_ranker_of_the_stage_before(
    tmp_path: Path, tiny_cross_encoder: Path, built_root: Path
) -> None:
    recipe = Recipe(LEARNING, base=str(tiny_cross_encoder), max_length=64, groups_per_step=2)
    with pytest.raises(StoppedError):
        make(tmp_path / "1", tiny_cross_encoder, built_root, recipe=recipe, report=stop_in(2))
    work = tmp_path / ".1.training"
    rows = read_rows(work / "stage-2" / "rows")[0]
    before = CrossEncoderReranker(str(work / "stage-1" / "model"))
    began = CrossEncoderReranker(str(tiny_cross_encoder))
    assert len(rows) == 2
    for row in rows:
        passages = row["passages"]
        assert row["labels"] == pytest.approx(before.score(row["query"], passages).logits, abs=1e-4)
        assert row["labels"] != pytest.approx(began.score(row["query"], passages).logits, abs=1e-4)


def test_a_first_stage_has_no_re_ranker_before_it() -> None:
    with pytest.raises(SettingsError, match="Stage 'itself' is the first and has no re-ranker before it"):
        Recipe(LEARNING[1:])


def test_itself_is_replaced_among_other_teachers() -> None:
    item = Ingredient("small", "distill", 2, teacher="given+itself")
    stage = Stage("one", (item, STAGES[1].ingredients[0]), learning_rate=1e-3)
    assert [made.teacher for made in stage.with_itself("data/x").ingredients] == ["given+reranker:data/x", ""]


def test_a_stage_draws_by_its_own_seed(tmp_path: Path, tiny_cross_encoder: Path, built_root: Path) -> None:
    drawn = {}
    for seed in (None, 17, 29):
        stage = replace(STAGES[0], seed=seed, ingredients=(Ingredient("small", "distill", 4, repeats=2),))
        recipe = Recipe((stage,), base=str(tiny_cross_encoder), mining=GroupSettings(per_query=3))

        with pytest.raises(StoppedError):
            make(tmp_path / f"{seed}", tiny_cross_encoder, built_root, recipe=recipe, report=stop_in(1))
        rows = read_rows(tmp_path / f".{seed}.training" / "stage-1" / "rows")[0]
        drawn[seed] = [tuple(row["passages"]) for row in rows]
    assert drawn[None] == drawn[17]  # that of the recipe's mining
    assert drawn[29] != drawn[17]


def test_a_recipe_without_stages_is_refused(tmp_path: Path, tiny_cross_encoder: Path, built_root: Path) -> None:
    with pytest.raises(TrainingError, match="Recipe tiny has no stage"):
        make(tmp_path / "1", tiny_cross_encoder, built_root, recipe=replace(Recipe(STAGES), stages=()))
