"""What is left to train of minutes that count everything."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from indexing.errors import TrainingError
from training.data.settings import DataSettings
from training.recipes.settings import FitSettings, TrainSettings
from training.source import Source
from training.train.request import TrainRequest
from training.train.whole import FILE, FORWARD_SHARE, minutes_to_train, share_of_evaluating, within_whole

REQUEST = TrainRequest(
    output=Path("mine/1"),
    recipe="listnet",
    settings=TrainSettings(minutes=10),
    data=DataSettings(sources=(Source("index", "small"),)),
    whole=True,
)


@pytest.mark.parametrize(
    ("spent", "last", "share", "left"),
    [
        (0, 0, 0, 10),
        (3, 1, 0, 6),  # 10 - 3 - 1
        (3, 1, 0.5, 4),  # 6 minutes, of which each two of training take one of measuring
        (9, 0.5, 0, 2),  # a fifth at least
        (60, 1, 0, 2),
    ],
)
def test_gathering_and_measuring_are_taken_off(spent: float, last: float, share: float, left: float) -> None:
    assert minutes_to_train(10, spent=spent, last=last, share=share) == pytest.approx(left)


def test_evaluations_cost_a_share_of_the_steps_between_them() -> None:
    settings = FitSettings(recipe="listnet", batch=16, evaluate_every=50)
    # 3,000 pairs are scored in the time that 1,000 are trained on; 50 steps train on 50 * 16 * 5 = 4,000
    assert pytest.approx(1 / 3) == FORWARD_SHARE
    assert share_of_evaluating(settings, pairs_a_row=5, dev_pairs=3_000) == pytest.approx(1_000 / 4_000)
    assert share_of_evaluating(replace(settings, evaluate_every=0), pairs_a_row=5, dev_pairs=3_000) == 0


def test_a_training_that_resumes_has_the_minutes_of_its_beginning(tmp_path: Path) -> None:
    first = within_whole(REQUEST, tmp_path, spent=2, last=1, share=0)
    again = within_whole(REQUEST, tmp_path, spent=8, last=0, share=0)
    assert first.settings.minutes == again.settings.minutes == pytest.approx(7)  # 10 - 2 - 1
    (tmp_path / FILE).write_text("[7]", encoding="utf-8")
    with pytest.raises(TrainingError, match=f"{FILE} is damaged"):
        within_whole(REQUEST, tmp_path, spent=2, last=1, share=0)


@pytest.mark.parametrize("request_", [replace(REQUEST, whole=False), replace(REQUEST, settings=TrainSettings(steps=3))])
def test_other_trainings_stay_as_they_are(request_: TrainRequest, tmp_path: Path) -> None:
    assert within_whole(request_, tmp_path, spent=2, last=1, share=0) is request_
    assert not (tmp_path / FILE).exists()


def test_a_request_says_so_only_where_it_counts_everything() -> None:
    values = json.loads(json.dumps(REQUEST.as_json()))
    assert TrainRequest.from_json(values, place="here") == REQUEST
    assert REQUEST.decided_by()["whole"] is True
    earlier = {name: value for name, value in values.items() if name != "whole"}
    assert TrainRequest.from_json(earlier, place="here") == replace(REQUEST, whole=False)
    assert "whole" not in {**replace(REQUEST, whole=False).as_json(), **replace(REQUEST, whole=False).decided_by()}
