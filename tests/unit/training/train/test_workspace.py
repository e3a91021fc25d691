"""The minutes of a training are those of all processes that worked on it."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from indexing.errors import TrainingError
from training.train import workspace
from training.train.workspace import EVERY, MINUTES, ORIGIN, Workspace, check_origin


class Clock:
    """Seconds that a test lets pass."""

    now = 1000.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(workspace, "time", SimpleNamespace(monotonic=lambda: made.now))
    return made


def test_minutes_of_a_process_that_was_killed_are_counted_up_to_its_last_note(tmp_path: Path, clock: Clock) -> None:
    told: list[int] = []
    tell = Workspace(tmp_path).timed(told.append)
    for step in range(9):  # a step takes 20 s, so that every second one finds the note too old
        tell(step)
        clock.now += 20
    assert told == list(range(9))
    assert json.loads((tmp_path / MINUTES).read_text()) == pytest.approx(160 / 60)  # at step 8, the steps before it
    clock.now += 5000  # nobody works
    again = Workspace(tmp_path)
    clock.now += 60
    assert again.minutes == pytest.approx(160 / 60 + 1)


def test_nothing_is_noted_more_often_than_needed(tmp_path: Path, clock: Clock) -> None:
    tell = Workspace(tmp_path).timed(lambda: None)
    clock.now += EVERY - 1
    tell()
    assert not (tmp_path / MINUTES).exists()
    clock.now += 1
    tell()
    assert (tmp_path / MINUTES).exists()


@pytest.mark.parametrize("content", ["", "[]", "NaN", "-3", "1e300", '"3"x', "[" * 100_000])
def test_a_damaged_record_of_the_time_costs_only_the_time(
    content: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / MINUTES).write_text(content)
    assert Workspace(tmp_path).minutes < 1
    assert caplog.messages == [f"{tmp_path / MINUTES} is damaged, so the time that was spent before isn't counted."]


@pytest.mark.parametrize("content", ["", "[]", '{"a": ', "\x00", "[" * 100_000])
def test_a_damaged_record_of_the_data_is_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / ORIGIN).write_text(content)
    with pytest.raises(TrainingError, match=r"asked\.json is damaged, .*; delete .* and train anew\.$"):
        check_origin(tmp_path, {"index": "sample"})


def test_a_setting_that_is_left_out_on_resuming_is_refused(tmp_path: Path) -> None:
    check_origin(tmp_path, {"index": "sample", "target": {"grade": 50}})
    with pytest.raises(TrainingError, match=r"began with target \{'grade': 50\}, now it is None; resume with the same"):
        check_origin(tmp_path, {"index": "sample"})
