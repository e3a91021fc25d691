"""Settings out of range are refused with their name and value; what isn't given is the recipe's own."""

from pathlib import Path

import pytest

from indexing.errors import SettingsError
from indexing.names import DEFAULT_BI_ENCODER
from training.__main__ import parser
from training.cli.train import data_settings, dev_settings, next_version, train_settings
from training.data.settings import DataSettings
from training.recipes.catalog import LOSS_RECIPES
from training.recipes.settings import FitSettings, TrainSettings
from training.train.request import DevSettings


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"precision": "int8"}, "'int8' is unknown; choose one of auto"),
        ({"learning_rate": 0}, "learning_rate is 0"),
        ({"learning_rate": float("nan")}, "learning_rate is nan"),
        ({"epochs": float("inf")}, "epochs is inf"),
        ({"steps": 0}, "steps is 0"),
        ({"minutes": -1}, "minutes is -1"),
        ({"batch": 0}, "batch is 0"),
        ({"micro_batch": -2}, "micro_batch is -2"),
        ({"save_every": -1}, "save_every is -1"),
        ({"evaluate_every": -1}, "evaluate_every is -1"),
        ({"seed": -1}, "seed is -1"),
        ({"weight_decay": -0.1}, "weight_decay is -0.1"),
        ({"warmup": 1}, "warmup is 1"),
        ({"dropout": -0.1}, "dropout is -0.1"),
        ({"max_length": 15}, "max_length is 15"),
        ({"max_length": 8193}, "max_length is 8193"),
        ({"weight_decay": float("nan")}, "weight_decay is nan"),
        ({"steps": 10**30}, "steps is 1000000000000.*; give at most 10,000,000,000"),
        ({"patience": 3}, "patience is 3 but nothing is evaluated"),
    ],
)
def test_settings_out_of_range_are_refused(given: dict[str, object], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        TrainSettings(**given)  # type: ignore[arg-type]  # one field of several types


@pytest.mark.parametrize("name", LOSS_RECIPES)
def test_what_is_not_given_is_the_recipe_s_own(name: str) -> None:
    asked = TrainSettings().by(name)
    assert (asked.rows_a_step, asked.peak_rate) == (LOSS_RECIPES[name].batch, LOSS_RECIPES[name].learning_rate)


def test_a_pass_has_the_settings_of_its_training_and_a_known_recipe() -> None:
    settings = TrainSettings(steps=7, seed=3, base="b").by("ranknet")
    assert settings == FitSettings(recipe="ranknet", steps=7, seed=3, base="b")
    with pytest.raises(SettingsError, match="'best' is unknown; choose one of bce"):
        settings.by("best")


def test_what_is_given_counts() -> None:
    asked = FitSettings(recipe="bce", batch=3, learning_rate=0.5)
    assert (asked.rows_a_step, asked.peak_rate) == (3, 0.5)


def test_limits_themselves_are_in_range() -> None:
    TrainSettings(max_length=16, save_every=0, warmup=0, dropout=0, weight_decay=0)
    TrainSettings(max_length=8192, epochs=0.001, evaluate_every=1, patience=1)


def test_the_command_line_leaves_what_is_not_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECOND_LOOK_HOME", str(tmp_path))
    options = parser().parse_args(["train", "--recipe", "listnet"])
    assert train_settings(options) == TrainSettings(base="shipped")
    assert data_settings(options) == DataSettings()
    assert dev_settings(options) is None
    assert TrainSettings().base == DEFAULT_BI_ENCODER


def test_the_command_line_gives_settings_data_and_dev_queries() -> None:
    line = "train --recipe bce --base b --steps 9 --minutes 1.5 --batch 8 --micro-batch 2 --warmup 0.2 --precision bf16"
    line += " --gradient-checkpointing --evaluate-every 3 --patience 2 --seed 5 --data index:a --data jsonl:b --index i"
    line += " --limit 7 --made-queries 8 --teacher first-stage --dev sample:test --dev-queries 4 --dev-depth 6"
    options = parser().parse_args(line.split())
    assert train_settings(options) == TrainSettings(
        base="b",
        steps=9,
        minutes=1.5,
        batch=8,
        micro_batch=2,
        warmup=0.2,
        precision="bf16",
        gradient_checkpointing=True,
        evaluate_every=3,
        patience=2,
        seed=5,
    )
    data = data_settings(options)
    assert (list(map(str, data.sources)), data.index) == (["index:a", "jsonl:b"], "i")
    assert (data.limit, data.teacher) == (7, "first-stage")
    assert data.cold.queries == 8
    assert dev_settings(options) == DevSettings("sample", "test", 4, 6)


def test_a_version_takes_the_first_number_that_is_free(tmp_path: Path) -> None:
    assert next_version("bce", tmp_path) == tmp_path / "bce" / "1"
    (tmp_path / "bce" / "1").mkdir(parents=True)
    (tmp_path / "bce" / "3").mkdir()
    assert next_version("bce", tmp_path) == tmp_path / "bce" / "2"
