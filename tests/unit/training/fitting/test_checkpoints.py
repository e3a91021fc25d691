"""A checkpoint bears its name once it is whole, and the last two are kept."""

from pathlib import Path

import pytest

from training.fitting.checkpoints import (
    KEPT,
    PARTIAL,
    SEAL,
    STATE,
    checkpoints,
    partial_folder,
    publish_checkpoint,
    step_of,
)


def written(folder: Path, step: int) -> Path:
    """A checkpoint in the partial folder, as a trainer leaves it."""
    inner = partial_folder(folder) / f"checkpoint-{step}"
    (inner / "more").mkdir(parents=True)
    (inner / STATE).write_text("{}")
    (inner / "more" / "weights").write_text(f"weights of {step}")
    return inner


def names(folder: Path) -> list[str]:
    return [path.name for path in checkpoints(folder)]


def test_a_checkpoint_has_its_name_once_it_is_published(tmp_path: Path) -> None:
    written(tmp_path, 3)
    assert names(tmp_path) == []
    target = publish_checkpoint(tmp_path)
    assert target == tmp_path / "checkpoint-3"
    assert (target / "more" / "weights").read_text() == "weights of 3"
    assert names(tmp_path) == ["checkpoint-3"]
    assert not (tmp_path / PARTIAL).exists()


def test_the_last_two_are_kept_by_number_and_not_by_name(tmp_path: Path) -> None:
    for step in (8, 9, 10, 11):
        written(tmp_path, step)
        publish_checkpoint(tmp_path)
    assert KEPT == 2
    assert names(tmp_path) == ["checkpoint-10", "checkpoint-11"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint-10", "checkpoint-11"]


def test_one_that_is_written_again_takes_the_older_one_s_place(tmp_path: Path) -> None:
    written(tmp_path, 3)
    (publish_checkpoint(tmp_path) / "left over").write_text("")
    written(tmp_path, 3)
    assert sorted(path.name for path in publish_checkpoint(tmp_path).iterdir()) == [SEAL, "more", STATE]


def test_what_a_stop_left_is_removed_before_the_next_one_is_written(tmp_path: Path) -> None:
    written(tmp_path, 3)
    written(tmp_path, 6)
    assert publish_checkpoint(tmp_path).name == "checkpoint-6"
    assert names(tmp_path) == ["checkpoint-6"]


@pytest.mark.parametrize("name", ["checkpoint-4", "checkpoint-", "checkpoint-4.old", "checkpoint-x"])
def test_what_is_no_whole_checkpoint_is_none(tmp_path: Path, name: str) -> None:
    written(tmp_path, 3)
    publish_checkpoint(tmp_path)
    (tmp_path / name).mkdir()
    if name != "checkpoint-4":  # that one lacks its state, which is written last
        (tmp_path / name / STATE).write_text("{}")
    assert names(tmp_path) == ["checkpoint-3"]


def test_its_number_is_the_steps_that_it_holds(tmp_path: Path) -> None:
    assert step_of(tmp_path / "checkpoint-120") == 120
