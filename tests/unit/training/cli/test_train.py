"""train: what it starts from, and what its options ask for, before anything is read."""

import argparse
import json
from pathlib import Path

import pytest

from indexing.errors import SettingsError
from training.cli import train
from training.cli.train import train_request


def _options(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    train.add(parser.add_subparsers())
    return parser.parse_args(["train", "--data", "jsonl:x.jsonl", "--output", "made/1", *words])


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SECOND_LOOK_HOME", str(tmp_path))
    (tmp_path / "models").mkdir()
    return tmp_path / "models"


def test_training_improves_what_is_served_unless_a_base_is_named(models: Path) -> None:
    assert train_request(_options("--recipe", "listnet")).settings.base == "shipped"
    (models / "promoted.json").write_text(json.dumps({"promoted": "mine/3"}), encoding="utf-8")
    assert train_request(_options("--recipe", "listnet")).settings.base == "mine/3"
    assert train_request(_options("--recipe", "listnet", "--base", "other/base")).settings.base == "other/base"


@pytest.mark.usefixtures("models")
def test_weights_of_a_mixed_target_reach_the_data() -> None:
    weights = ("--target-grade", "1", "--target-teacher", "0.5", "--target-temperature", "2")
    target = train_request(_options("--recipe", "distill-list", *weights)).data.target
    assert (target.grade, target.teacher, target.temperature) == (1, 0.5, 2)


@pytest.mark.usefixtures("models")
def test_recipe_that_mixes_nothing_refuses_the_weights() -> None:
    with pytest.raises(SettingsError, match="Recipe listnet doesn't mix grades with scores"):
        train_request(_options("--recipe", "listnet", "--target-grade", "1"))


@pytest.mark.usefixtures("models")
@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (("--made-queries", "9"), "Recipe listnet makes no queries; leave out --made-queries"),
        (("--dev-queries", "9"), "--dev-queries is about judged queries that are measured on; give --dev INDEX too"),
        (("--dev-depth", "9"), "--dev-depth is about judged queries that are measured on; give --dev INDEX too"),
        (("--dev", "sample", "--dev-depth", "0"), "--dev-depth is 0; give 1 passage or more"),
    ],
)
def test_options_that_would_do_nothing_are_refused(words: tuple[str, ...], fault: str) -> None:
    with pytest.raises(SettingsError, match=fault):
        train_request(_options("--recipe", "listnet", *words))


@pytest.mark.usefixtures("models")
def test_minutes_count_everything_only_where_asked() -> None:
    assert not train_request(_options("--recipe", "listnet", "--minutes", "3")).whole
    asked = train_request(_options("--recipe", "listnet", "--minutes", "3", "--whole"))
    assert asked.whole
    assert asked.settings.minutes == 3
    with pytest.raises(SettingsError, match="--whole says what --minutes count; give --minutes too"):
        train_request(_options("--recipe", "listnet", "--whole"))


@pytest.mark.usefixtures("models")
def test_recipe_of_stages_has_no_minutes_to_count() -> None:
    options = argparse.Namespace(**{**vars(_options("--recipe", "closing-reranker", "--whole")), "data": None})
    with pytest.raises(SettingsError, match="has its own data and settings; leave out --whole"):
        train_request(options)


@pytest.mark.parametrize(
    ("minutes", "whole", "words"),
    [
        (
            0.5,
            False,
            "About 0.5 minutes of training; gathering, mining and measuring take theirs besides (--whole counts them "
            "too).",
        ),
        (1.0, True, "About 1 minute in all: gathering, mining, training and measuring are counted."),
    ],
)
def test_what_the_minutes_count_is_told_before(minutes: float, whole: bool, words: str) -> None:
    assert train._time_words(minutes, whole=whole) == words
