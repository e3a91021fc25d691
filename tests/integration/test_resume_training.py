"""A training that is stopped, at whatever moment, ends with the very weights of one that never was."""

import signal
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.support.forks import Forks
from tests.support.tiny_training import StoppedError, Weights, equal, resumable, settings, train, weights
from training.fitting import checkpoints
from training.fitting.callback import ReportStep, TrainingStep
from training.recipes.settings import FitSettings


@dataclass(frozen=True)
class Undisturbed:
    """What a training gives that nothing stopped."""

    recipe: str
    weights: Weights
    losses: dict[int, float]


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Sums are rounded as in the process that is killed."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def undisturbed(
    one_thread: None, tiny_cross_encoder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Undisturbed]:
    """Such a training of a recipe, done once."""
    done: dict[str, Undisturbed] = {}

    def of(recipe: str) -> Undisturbed:
        if recipe not in done:
            found = train(tmp_path_factory.mktemp("undisturbed"), resumable(tiny_cross_encoder, recipe))
            done[recipe] = Undisturbed(recipe, weights(found.model), found.losses)
        return done[recipe]

    return of


def stop_at(step: int) -> ReportStep:
    def report(at: TrainingStep) -> None:
        if at.step == step:
            raise StoppedError

    return report


def names(folder: Path) -> list[str]:
    return [path.name for path in checkpoints.checkpoints(folder)]


def check(folder: Path, asked: FitSettings, whole: Undisturbed, *, first: int, resume: bool = True) -> None:
    """Gone on with, from `first` on, it gives the weights and the losses of the undisturbed training."""
    steps: list[int] = []
    resumed = train(folder, asked, resume=resume, report=lambda at: steps.append(at.step))
    assert steps == list(range(first, len(whole.losses) + 1))
    assert resumed.losses == whole.losses
    assert equal(weights(resumed.model), whole.weights)


@pytest.mark.parametrize("recipe", ["listnet", "cmnrl"])
def test_a_stopped_training_ends_as_if_it_never_was(
    recipe: str, undisturbed: Callable[[str], Undisturbed], tiny_cross_encoder: Path, tmp_path: Path
) -> None:
    asked = resumable(tiny_cross_encoder, recipe)
    with pytest.raises(StoppedError):
        train(tmp_path, asked, report=stop_at(7))
    assert names(tmp_path) == ["checkpoint-3", "checkpoint-6"]
    check(tmp_path, asked, undisturbed(recipe), first=7)
    assert names(tmp_path) == ["checkpoint-9", "checkpoint-12"]


def test_without_resume_it_begins_anew(
    undisturbed: Callable[[str], Undisturbed], tiny_cross_encoder: Path, tmp_path: Path
) -> None:
    asked = resumable(tiny_cross_encoder, "listnet")
    with pytest.raises(StoppedError):
        train(tmp_path, asked, report=stop_at(4))
    check(tmp_path, asked, undisturbed("listnet"), first=1, resume=False)


def test_a_stop_before_the_first_checkpoint_costs_only_its_steps(
    undisturbed: Callable[[str], Undisturbed], tiny_cross_encoder: Path, tmp_path: Path
) -> None:
    asked = resumable(tiny_cross_encoder, "listnet")
    with pytest.raises(StoppedError):
        train(tmp_path, asked, report=stop_at(2))
    assert names(tmp_path) == []
    check(tmp_path, asked, undisturbed("listnet"), first=1)


def test_a_checkpoint_that_is_written_but_not_renamed_is_never_gone_on_from(
    undisturbed: Callable[[str], Undisturbed],
    tiny_cross_encoder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    publish = checkpoints.publish_checkpoint

    def cut(folder: Path, notes: Mapping[str, Any]) -> Path:
        if (folder / checkpoints.PARTIAL / "checkpoint-6").is_dir():
            raise StoppedError
        return publish(folder, notes)

    asked = resumable(tiny_cross_encoder, "listnet")
    with monkeypatch.context() as patched:
        patched.setattr(checkpoints, "publish_checkpoint", cut)
        with pytest.raises(StoppedError):
            train(tmp_path, asked)
    half = tmp_path / checkpoints.PARTIAL / "checkpoint-6"
    assert (half / checkpoints.STATE).is_file()
    assert names(tmp_path) == ["checkpoint-3"]
    (half / "model.safetensors").write_bytes(b"")  # what a power cut may leave of a file that wasn't synced
    check(tmp_path, asked, undisturbed("listnet"), first=4)


def test_a_killed_training_ends_as_if_it_never_was(
    undisturbed: Callable[[str], Undisturbed], tiny_cross_encoder: Path, tmp_path: Path, forks: Forks
) -> None:
    forks.begin("training", folder=str(tmp_path), base=str(tiny_cross_encoder), kill_at=5)
    killed = forks.end()
    assert killed.steps == [1, 2, 3, 4, 5], killed.error
    assert killed.code == -signal.SIGKILL
    assert names(tmp_path) == ["checkpoint-3"]
    check(tmp_path, resumable(tiny_cross_encoder, "listnet"), undisturbed("listnet"), first=4)


def test_a_finished_training_that_is_resumed_stays_as_it_is(tiny_cross_encoder: Path, tmp_path: Path) -> None:
    asked = settings(tiny_cross_encoder, "listnet", steps=10, batch=2, save_every=3)  # it ends amid an epoch of 4
    fitted = train(tmp_path, asked)
    first = weights(fitted.model)
    again = train(tmp_path, asked, resume=True)
    assert equal(weights(again.model), first)
    assert (again.steps, again.losses, again.model.training) == (10, fitted.losses, False)


def test_a_folder_that_is_begun_anew_forgets_the_plan_and_checkpoints_that_it_held(
    tiny_cross_encoder: Path, tmp_path: Path
) -> None:
    train(tmp_path, settings(tiny_cross_encoder, "listnet", steps=4, batch=2, save_every=2))
    assert train(tmp_path, settings(tiny_cross_encoder, "listnet", steps=3, batch=2, save_every=1)).steps == 3
    assert names(tmp_path) == ["checkpoint-2", "checkpoint-3"]
