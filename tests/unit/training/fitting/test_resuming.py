"""A training goes on from the newest sound checkpoint, and only where the rest will be the same to the last bit."""

import json
import shutil
from pathlib import Path

import pytest
import torch

from indexing import precision
from indexing.errors import TrainingError
from tests.support.tiny_training import settings, train
from training.fitting import resuming
from training.fitting.checkpoints import BEST, DAMAGED, SEAL, STATE, WEIGHTS, checkpoints, set_aside
from training.fitting.fit import ROWS
from training.fitting.resuming import RECORD, find_start, read_evaluations
from training.recipes.row_files import ROWS as ROWS_FILE
from training.recipes.settings import FitSettings


@pytest.fixture(scope="module")
def asked(tiny_cross_encoder: Path) -> FitSettings:
    return settings(tiny_cross_encoder, "listnet", steps=4, batch=2, save_every=2, evaluate_every=2)


@pytest.fixture(scope="module")
def trained(asked: FitSettings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training with checkpoints after steps 2 and 4; step 2's weights are the best."""
    folder = tmp_path_factory.mktemp("trained")
    figures = iter([0.6, 0.5])
    train(folder, asked, measure=lambda _: next(figures))
    return folder


@pytest.fixture
def work(trained: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(trained, tmp_path / "work"))


def start(folder: Path, asked: FitSettings, *, steps: int = 4) -> tuple[str, list[str]]:
    """The checkpoint that a resumed training goes on from, and what it says."""
    notes: list[str] = []
    found = find_start(folder, folder / ROWS, asked, steps=steps, resume=True, note=notes.append)
    return found.checkpoint.name if found.checkpoint else "", notes


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_the_newest_checkpoint_is_taken(work: Path, asked: FitSettings) -> None:
    assert start(work, asked) == ("checkpoint-4", [])


@pytest.mark.parametrize("name", [WEIGHTS, STATE, SEAL, "optimizer.pt", "scheduler.pt", "rng_state.pth"])
def test_a_damaged_one_is_passed_over_and_kept_aside(name: str, work: Path, asked: FitSettings) -> None:
    flip(work / "checkpoint-4" / name)
    found, notes = start(work, asked)
    assert found == "checkpoint-2"
    assert len(notes) == 1
    assert notes[0].startswith(f"Checkpoint {work / 'checkpoint-4'} can't be used ({name} has ")
    assert notes[0].endswith("): it was renamed, and the training goes on from checkpoint-2.")
    assert (work / f"{DAMAGED}checkpoint-4" / name).is_file()
    assert start(work, asked) == ("checkpoint-2", [])


def test_one_with_an_absent_or_a_foreign_file_is_passed_over(work: Path, asked: FitSettings) -> None:
    (work / "checkpoint-4" / "optimizer.pt").unlink()
    (work / "checkpoint-2" / "optimizer.bin").write_bytes(b"")
    found, notes = start(work, asked)
    assert found == ""
    assert "(optimizer.pt is absent)" in notes[0]
    assert "(optimizer.bin doesn't belong to it): it was renamed, and the training begins anew." in notes[1]


def test_one_of_another_training_is_passed_over(work: Path, asked: FitSettings) -> None:
    found, notes = start(work, FitSettings(**{**vars(asked), "seed": 4}))
    assert (found, len(notes)) == ("", 2)
    assert "(it is of another training)" in notes[0]


def test_one_that_needs_damaged_best_weights_is_passed_over(work: Path, asked: FitSettings) -> None:
    flip(work / BEST / WEIGHTS)
    found, notes = start(work, asked)
    assert found == ""  # both came after the evaluation of step 2, which made them
    assert "the best weights, of step 2, are damaged" in notes[0]


def test_evaluations_are_those_of_the_checkpoint(work: Path) -> None:
    (work / "evaluations.json").write_text("{")
    assert read_evaluations(work, work / "checkpoint-2") == {2: 0.6}
    with pytest.raises(TrainingError, match=r"evaluations\.json is damaged"):
        read_evaluations(work, None)


@pytest.mark.parametrize("name", ["torch", "device", "processes", "precision of evaluations"])
def test_what_the_last_bit_depends_on_must_be_as_before(
    name: str, work: Path, asked: FitSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    surroundings = resuming._surroundings
    monkeypatch.setattr(resuming, "_surroundings", lambda *given: surroundings(*given) | {name: "another"})
    with pytest.raises(TrainingError, match=rf"was trained with {name} .*, now it is another, so the rest"):
        start(work, asked)
    (work / RECORD).unlink()  # as the sentence says
    assert start(work, asked) == ("checkpoint-4", [])


def test_evaluations_go_on_in_the_format_that_was_fastest_when_the_training_began(
    work: Path, asked: FitSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = precision.fastest_dtype("cpu")
    other = torch.float32 if began == torch.bfloat16 else torch.bfloat16
    monkeypatch.setattr(precision, "_settled", {"cpu": other})  # as another process may measure it
    assert start(work, asked) == ("checkpoint-4", [])
    assert precision.fastest_dtype("cpu") == began


def test_rows_that_changed_are_never_trained_on(work: Path, asked: FitSettings) -> None:
    flip(work / ROWS / ROWS_FILE)
    with pytest.raises(TrainingError, match=r"The rows in .* aren't those that the training began with"):
        start(work, asked)


@pytest.mark.parametrize("content", ["", "[]", '{"surroundings": {}, "sha256": ""}', "[" * 100_000])
def test_a_damaged_record_is_no_reason_to_go_on(content: str, work: Path, asked: FitSettings) -> None:
    (work / RECORD).write_text(content)
    with pytest.raises(TrainingError, match=r"record\.json is damaged"):
        start(work, asked)


def test_another_number_of_steps_is_refused(work: Path, asked: FitSettings) -> None:
    (work / "plan.json").write_text(json.dumps({"steps": 6}))
    with pytest.raises(TrainingError, match=r"plan\.json says 6 steps, the training began with 4: the file is damaged"):
        train(work, asked, resume=True)


@pytest.mark.parametrize("name", ["plan.json", "settings.json"])
def test_a_broken_file_beside_the_checkpoints_is_named(name: str, work: Path, asked: FitSettings) -> None:
    (work / name).write_text('{"steps": ')
    with pytest.raises(TrainingError, match=rf"{name} is damaged.*; delete .* and train anew\.$"):
        train(work, asked, resume=True)


def without_seals(folder: Path) -> None:
    for path in folder.rglob(SEAL):
        path.unlink()
    (folder / RECORD).unlink()


def test_checkpoints_from_before_there_were_seals_are_taken(work: Path, asked: FitSettings) -> None:
    without_seals(work)
    assert start(work, asked) == ("checkpoint-4", [])


@pytest.mark.parametrize("name", [WEIGHTS, STATE, "optimizer.pt", "rng_state.pth"])
def test_of_those_one_that_cannot_be_loaded_is_passed_over(name: str, work: Path, asked: FitSettings) -> None:
    without_seals(work)
    path = work / "checkpoint-4" / name
    path.write_bytes(path.read_bytes()[:50])
    assert start(work, asked)[0] == "checkpoint-2"


def test_one_that_is_set_aside_takes_no_other_one_s_place(work: Path) -> None:
    first = set_aside(checkpoints(work)[-1])
    shutil.copytree(first, work / "checkpoint-4")
    assert set_aside(work / "checkpoint-4").name == f"{first.name}.2"
