"""A training takes as many steps as were asked for, and goes on only with the settings that it began with."""

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sentence_transformers.cross_encoder.losses import CachedMultipleNegativesRankingLoss

from indexing.errors import TrainingError
from tests.support.tiny_training import StoppedError, examples, settings, train
from training.fitting import plan
from training.fitting.callback import TrainingStep
from training.fitting.fit import ROWS, fit
from training.fitting.plan import LEAST_STEPS, PLAN, steps_of
from training.recipes.row_files import read_rows, write_rows
from training.recipes.settings import FitSettings

SECONDS = "seconds_a_step"


@pytest.mark.parametrize(
    ("given", "rows", "steps"),
    [
        ({"batch": 4}, 10, 3),  # 4 + 4 + 2
        ({"batch": 4, "epochs": 2}, 10, 6),
        ({"batch": 4, "epochs": 0.7}, 10, 2),  # 0.7 * 3 = 2.1
        ({"batch": 4, "epochs": 0.01}, 10, 1),
        ({"batch": 4, "steps": 7, "epochs": 2}, 10, 7),
        ({}, 64, 4),  # the recipe's own batch is 16
    ],
)
def test_steps_are_those_of_the_epochs_unless_they_are_given(given: dict[str, Any], rows: int, steps: int) -> None:
    assert steps_of(FitSettings(recipe="listnet", **given), rows) == steps


def test_rows_that_are_not_there_are_told(tiny_cross_encoder: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="holds no rows to train on"):
        fit(tmp_path, settings(tiny_cross_encoder, "listnet"))


def test_what_was_done_is_given_back(tiny_cross_encoder: Path, tmp_path: Path) -> None:
    reports: list[TrainingStep] = []
    asked = settings(tiny_cross_encoder, "listnet", epochs=1.5, batch=2)
    fitted = train(tmp_path, asked, report=reports.append)
    assert fitted.steps == 6  # 1.5 * 8 / 2
    assert [(at.step, at.steps) for at in reports] == [(step, 6) for step in range(1, 7)]
    assert [at.loss for at in reports] == list(fitted.losses.values())
    assert max(at.learning_rate for at in reports) == 3e-3
    assert reports[-1].learning_rate < 1e-3  # it falls to 0 after the last step
    assert fitted.pairs == 6 * 2 * 8
    assert fitted.counts.examples == {"tiny": 8}
    assert fitted.best_ndcg is None
    assert not fitted.model.training


def test_the_same_seed_gives_the_same_training_and_another_one_another(tiny_bi_encoder: Path, tmp_path: Path) -> None:
    def losses(name: str, seed: int) -> list[float]:
        asked = settings(tiny_bi_encoder, "listnet", steps=2, batch=2, seed=seed)
        return list(train(tmp_path / name, asked).losses.values())

    assert losses("one", 1) == losses("two", 1) != losses("three", 2)


@pytest.fixture(scope="module")
def stopped(tiny_cross_encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a training that ended after a checkpoint."""
    folder = tmp_path_factory.mktemp("stopped")
    train(folder, settings(tiny_cross_encoder, "listnet", steps=2, batch=2, save_every=1))
    return folder


@pytest.mark.parametrize(
    ("changed", "before"),
    [
        ({"learning_rate": 1e-3}, 0.003),
        ({"batch": 4}, 2),
        ({"steps": 9}, 2),
        ({"seed": 3}, 17),
        ({"dropout": 0.1}, 0.0),
        ({"minutes": 5}, None),
        ({"recipe": "lambda"}, "listnet"),
        ({"precision": "bf16"}, "float32"),
    ],
)
def test_other_settings_are_refused_by_name_when_a_training_goes_on(
    stopped: Path, tiny_cross_encoder: Path, changed: dict[str, Any], before: object
) -> None:
    ((name, value),) = changed.items()
    given: dict[str, Any] = {"recipe": "listnet", "steps": 2, "batch": 2, "save_every": 1} | changed
    with pytest.raises(TrainingError, match=f"with {name} {before!r}, now it is {value!r}; resume with the same"):
        fit(stopped, settings(tiny_cross_encoder, **given), resume=True)


def test_a_training_that_recorded_one_epoch_goes_on_where_epochs_are_left_open(
    tiny_cross_encoder: Path, tmp_path: Path
) -> None:
    asked = settings(tiny_cross_encoder, "listnet", epochs=1.0, batch=2, save_every=2)
    train(tmp_path, asked)
    losses: list[float | None] = []
    again = train(tmp_path, replace(asked, epochs=None), resume=True, report=lambda at: losses.append(at.loss))
    assert (again.steps, losses) == (4, [])  # it goes on after its last checkpoint, where nothing is left to do
    with pytest.raises(TrainingError, match=r"with epochs 1\.0, now it is 2; resume with the same"):
        train(tmp_path, replace(asked, epochs=2), resume=True)


def planned(folder: Path) -> int:
    return int(json.loads((folder / PLAN).read_text())["steps"])


@pytest.mark.parametrize(
    ("given", "steps"),
    [
        ({"minutes": 0.05}, 6),  # 3 seconds of 0.5 a step
        ({"minutes": 0.05, "steps": 4}, 4),
        ({"minutes": 0.05, "steps": 9}, 6),
        ({"minutes": 0.05, "epochs": 0.5}, 2),  # half of 8 rows in batches of 2
        ({"minutes": 0.05, "epochs": 1}, 4),
        ({"minutes": 0.001}, 2),  # as the first step of a warm-up learns nothing
    ],
)
def test_minutes_are_as_many_steps_as_fit_at_the_measured_speed(
    tiny_cross_encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: dict[str, Any], steps: int
) -> None:
    monkeypatch.setattr(plan, SECONDS, lambda *_: 0.5)
    assert train(tmp_path, settings(tiny_cross_encoder, "listnet", batch=2, **given)).steps == steps


def test_the_plan_is_the_same_after_a_stop_however_fast_the_machine_is_then(
    tiny_cross_encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(at: TrainingStep) -> None:
        if at.step == 3:
            raise StoppedError

    asked = settings(tiny_cross_encoder, "listnet", minutes=0.05, batch=2, save_every=2)
    monkeypatch.setattr(plan, SECONDS, lambda *_: 0.5)
    with pytest.raises(StoppedError):
        train(tmp_path, asked, report=stop)
    assert planned(tmp_path) == 6
    monkeypatch.setattr(plan, SECONDS, lambda *_: 3.0)
    rates: list[float] = []
    again = train(tmp_path, asked, resume=True, report=lambda at: rates.append(at.learning_rate))
    assert (again.steps, planned(tmp_path)) == (6, 6)
    assert len(rates) == 4  # steps 3 to 6, on the schedule of 6


@pytest.mark.parametrize("recipe", ["bce", "cmnrl", "listnet"])  # labels of one number, of none, of a list
def test_the_time_of_a_step_is_measured_on_rows_of_every_form(
    tiny_cross_encoder: Path, tmp_path: Path, recipe: str
) -> None:
    asked = settings(tiny_cross_encoder, recipe, minutes=1e-6, batch=6)
    write_rows(tmp_path / ROWS, examples(), asked.loss_recipe.form, seed=1)
    assert fit(tmp_path, asked).steps == LEAST_STEPS  # less than one step fits


def test_no_query_stands_twice_in_a_batch_whose_rows_are_each_others_negatives(
    tiny_cross_encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches: list[list[str]] = []
    compute = CachedMultipleNegativesRankingLoss.forward

    def noted(self: CachedMultipleNegativesRankingLoss, inputs: list[Any], labels: Any) -> Any:
        batches.append(inputs[0])
        return compute(self, inputs, labels)

    monkeypatch.setattr(CachedMultipleNegativesRankingLoss, "forward", noted)
    asked = settings(tiny_cross_encoder, "cmnrl", batch=4)
    write_rows(tmp_path / ROWS, examples(), asked.loss_recipe.form, seed=1)
    rows = read_rows(tmp_path / ROWS)[0]
    assert len(rows) > 2 * len(set(rows["query"]))
    fit(tmp_path, asked)
    assert sorted(query for batch in batches for query in batch) == sorted(rows["query"])
    assert all(len(set(batch)) == len(batch) for batch in batches)


DIVERGED = r"The loss of step \d is nan: the training has diverged; give a lower --learning-rate than 1e\+09\."
SPOILT = r"a score of \S+: the training has diverged; give a lower --learning-rate\."


@pytest.mark.parametrize("recipe", ["bce", "listnet"])
def test_a_training_that_diverges_stops_at_once_and_is_not_gone_on_with(
    tiny_cross_encoder: Path, tmp_path: Path, recipe: str
) -> None:
    asked = settings(tiny_cross_encoder, recipe, steps=6, batch=2, learning_rate=1e9, save_every=1)
    steps: list[int] = []
    for resume in (False, True):
        with pytest.raises(TrainingError, match=DIVERGED):
            train(tmp_path, asked, resume=resume, report=lambda at: steps.append(at.step))
    assert steps == list(range(1, len(steps) + 1))  # the second time it comes to no step
    assert len(steps) < 6


@pytest.mark.parametrize("recipe", ["bce", "cmnrl", "listnet"])
def test_weights_that_the_last_step_spoils_are_refused_and_so_is_their_checkpoint(
    tiny_cross_encoder: Path, tmp_path: Path, recipe: str
) -> None:
    asked = settings(tiny_cross_encoder, recipe, steps=1, batch=6, learning_rate=1e10, warmup=0.0, save_every=1)
    losses: list[float | None] = []
    for resume in (False, True):
        with pytest.raises(TrainingError, match=SPOILT):
            train(tmp_path, asked, resume=resume, report=lambda at: losses.append(at.loss))
    assert len(losses) == 1
    assert losses[0] is not None
    assert math.isfinite(losses[0])
