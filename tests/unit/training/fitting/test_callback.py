"""Steps are reported, the best weights are kept, and a training stops when evaluations get no better."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from transformers import TrainerControl, TrainerState

from tests.support.tiny_training import StoppedError, equal, settings, train, weights
from training.fitting import callback as watching
from training.fitting.callback import TrainingMonitor, TrainingStep
from training.fitting.checkpoints import BEST, EVALUATIONS, WEIGHTS, keep_checkpoint, take_best
from training.fitting.model import PairModel, open_pair_model
from training.recipes.settings import FitSettings


@pytest.fixture(scope="module")
def loaded(tiny_cross_encoder: Path) -> PairModel:
    return open_pair_model(str(tiny_cross_encoder), max_length=64, dropout=0.0, seed=1)


@pytest.fixture
def model(loaded: PairModel) -> Iterator[PairModel]:
    """The model, its weights put back afterwards."""
    before = weights(loaded)
    yield loaded.train()
    loaded.load_state_dict(dict(before))


class Clock:
    """Seconds that a test lets pass."""

    def __init__(self) -> None:
        self.now = 0.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(watching, "time", SimpleNamespace(monotonic=lambda: made.now))
    return made


def in_turn(values: Iterable[float]) -> Callable[[PairModel], float]:
    """A measure that gives these values, one an evaluation."""
    left = iter(values)
    return lambda _: next(left)


def evaluating(every: int, patience: int = 0) -> FitSettings:
    return FitSettings(recipe="bce", evaluate_every=every, patience=patience)


def watch(
    model: PairModel,
    folder: Path,
    *values: float,
    every: int = 2,
    patience: int = 0,
    pairs: float = 16,
    reports: list[TrainingStep] | None = None,
) -> TrainingMonitor:
    made = TrainingMonitor(
        model,
        folder,
        evaluating(every, patience),
        report=(reports if reports is not None else []).append,
        pairs_a_step=pairs,
        measure=in_turn(values),
    )
    begin(made, at=0)
    return made


def begin(item: TrainingMonitor, *, at: int) -> None:
    item.on_train_begin(None, TrainerState(global_step=at), TrainerControl())


def step(item: TrainingMonitor, number: int, *, steps: int = 12) -> bool:
    """One step is done; gives back whether training is to stop."""
    control = TrainerControl()
    logs = {"loss": number / 10, "learning_rate": number / 1000}
    item.on_log(None, TrainerState(global_step=number, max_steps=steps), control, logs=logs)
    return bool(control.should_training_stop)


def shift(model: PairModel) -> None:
    """Change every weight."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(1)


def test_every_step_is_reported(model: PairModel, tmp_path: Path, clock: Clock) -> None:
    reports: list[TrainingStep] = []
    item = watch(model, tmp_path, every=0, reports=reports)
    for number, now in ((1, 2.0), (2, 5.0)):
        clock.now = now
        step(item, number)
    assert reports == [
        TrainingStep(step=1, steps=12, loss=0.1, learning_rate=0.001, pairs_per_second=16 / 2, seconds_left=11 * 2),
        TrainingStep(
            step=2, steps=12, loss=0.2, learning_rate=0.002, pairs_per_second=2 * 16 / 5, seconds_left=10 * 5 / 2
        ),
    ]
    assert item.losses == {1: 0.1, 2: 0.2}


def test_a_log_without_a_loss_is_no_step(model: PairModel, tmp_path: Path) -> None:
    reports: list[TrainingStep] = []
    item = watch(model, tmp_path, reports=reports)
    item.on_log(None, TrainerState(global_step=2, max_steps=12), TrainerControl(), logs={"train_runtime": 3.0})
    assert (reports, item.losses, item.best) == ([], {}, None)


def test_speed_is_of_the_steps_of_this_process_without_evaluations(
    model: PairModel, tmp_path: Path, clock: Clock
) -> None:
    reports: list[TrainingStep] = []

    def slow(_: PairModel) -> float:
        clock.now += 100
        return 0.5

    item = TrainingMonitor(model, tmp_path, evaluating(8), report=reports.append, pairs_a_step=16, measure=slow)
    clock.now = 1000
    begin(item, at=6)  # gone on from step 6
    for number in (7, 8, 9):
        clock.now += 4
        step(item, number)
    assert [at.pairs_per_second for at in reports] == pytest.approx([16 / 4] * 3)
    assert [at.seconds_left for at in reports] == pytest.approx([5 * 4, 4 * 4, 3 * 4])


def test_it_evaluates_every_so_many_steps_and_at_the_last_one(model: PairModel, tmp_path: Path) -> None:
    reports: list[TrainingStep] = []
    item = watch(model, tmp_path, 0.3, 0.6, 0.5, reports=reports)
    for number in range(1, 6):
        step(item, number, steps=5)
    assert [at.ndcg for at in reports] == [None, 0.3, None, 0.6, 0.5]
    assert [at.best_ndcg for at in reports] == [None, 0.3, 0.3, 0.6, 0.6]
    assert json.loads((tmp_path / EVALUATIONS).read_text()) == {"2": 0.3, "4": 0.6, "5": 0.5}


def test_the_model_is_measured_as_it_is_served(model: PairModel, tmp_path: Path) -> None:
    seen: list[bool] = []

    def measure(measured: PairModel) -> float:
        seen.append(measured.training)
        return 0.5

    item = TrainingMonitor(model, tmp_path, evaluating(1), report=lambda _: None, pairs_a_step=1, measure=measure)
    begin(item, at=0)
    step(item, 1)
    assert seen == [False]
    assert model.training


def test_the_best_weights_are_kept_and_the_first_of_equals(model: PairModel, tmp_path: Path) -> None:
    item = watch(model, tmp_path, 0.1, 0.5, 0.5, 0.3, every=1)
    by_step = {}
    for number in range(1, 5):
        shift(model)
        by_step[number] = weights(model)
        step(item, number)
    assert take_best(model, tmp_path)
    assert equal(weights(model), by_step[2])
    assert item.best == 0.5


def test_where_nothing_was_kept_weights_stay(model: PairModel, tmp_path: Path) -> None:
    before = weights(model)
    assert not take_best(model, tmp_path)
    assert equal(weights(model), before)


def test_a_kill_between_two_best_weights_leaves_the_older_ones(model: PairModel, tmp_path: Path) -> None:
    kept = weights(model)
    keep_checkpoint(model, tmp_path / BEST)
    (tmp_path / BEST).rename(tmp_path / f"{BEST}.older")  # and then the newer ones were to come
    shift(model)
    assert take_best(model, tmp_path)
    assert equal(weights(model), kept)
    shift(model)
    keep_checkpoint(model, tmp_path / BEST)
    assert [path.name for path in tmp_path.iterdir()] == [BEST]


@pytest.mark.parametrize(
    ("patience", "values", "stops"),
    [
        (2, (0.1, 0.5, 0.3, 0.2), [False, False, False, True]),
        (2, (0.1, 0.5, 0.3, 0.6), [False, False, False, False]),  # better again after one wait
        (2, (0.5, 0.5, 0.5), [False, False, True]),  # as good is no better
        (1, (0.5, 0.4), [False, True]),
        (0, (0.5, 0.4, 0.3, 0.2), [False, False, False, False]),
    ],
)
def test_it_stops_after_so_many_evaluations_without_a_better_one(
    model: PairModel, tmp_path: Path, patience: int, values: tuple[float, ...], stops: list[bool]
) -> None:
    item = watch(model, tmp_path, *values, every=1, patience=patience)
    assert [step(item, number) for number in range(1, len(values) + 1)] == stops


def test_evaluations_after_the_step_that_is_gone_on_from_are_forgotten(model: PairModel, tmp_path: Path) -> None:
    before = watch(model, tmp_path, 0.3, 0.2, 0.9, 0.8)
    for number in (2, 4, 6, 8):
        step(before, number)
    assert before.best == 0.9
    item = watch(model, tmp_path, 0.4, 0.1, 0.1, patience=2)
    begin(item, at=5)  # those of steps 6 and 8 are to come again
    assert item.best == 0.3
    assert [step(item, number) for number in (6, 8, 10)] == [False, False, True]  # 0.4, then 2 that are no better
    assert item.best == 0.4
    known = {"2": 0.3, "4": 0.2, "6": 0.4, "8": 0.1, "10": 0.1}
    assert json.loads((tmp_path / EVALUATIONS).read_text()) == known


def test_progress_is_plain_data() -> None:
    at = TrainingStep(
        step=1, steps=12, loss=0.5, learning_rate=1e-3, pairs_per_second=16.0, seconds_left=22.0, ndcg=0.25
    )
    assert json.loads(json.dumps(asdict(at))) == {
        "step": 1,
        "steps": 12,
        "loss": 0.5,
        "learning_rate": 1e-3,
        "pairs_per_second": 16.0,
        "seconds_left": 22.0,
        "ndcg": 0.25,
        "best_ndcg": None,
        "pass_number": 1,
        "passes": 1,
        "steps_before": 0,
    }


def test_a_training_ends_with_its_best_weights(tiny_cross_encoder: Path, tmp_path: Path) -> None:
    measured = []

    def measure(model: PairModel) -> float:
        measured.append(weights(model))
        return (0.1, 0.5, 0.3, 0.2, 0.9)[len(measured) - 1]

    asked = settings(tiny_cross_encoder, "listnet", steps=12, batch=2, evaluate_every=2, patience=2)
    fitted = train(tmp_path, asked, measure=measure)
    assert (fitted.steps, fitted.best_ndcg) == (8, 0.5)  # 2 evaluations after the one of step 4
    assert equal(weights(fitted.model), measured[1])
    assert not equal(measured[1], measured[3])
    assert not fitted.model.training


@pytest.mark.parametrize(("planned", "patience"), [(12, 2), (6, 0)])
def test_a_training_that_ended_is_neither_trained_nor_measured_again_when_it_is_resumed(
    tiny_cross_encoder: Path, tmp_path: Path, planned: int, patience: int
) -> None:
    by_step = {2: 0.5, 4: 0.3, 6: 0.2}
    steps = iter(by_step)
    asked = settings(
        tiny_cross_encoder, "listnet", steps=planned, batch=2, evaluate_every=2, patience=patience, save_every=2
    )
    first = train(tmp_path, asked, measure=lambda _: by_step[next(steps)])
    assert (first.steps, first.best_ndcg) == (6, 0.5)
    # stopped before its version was there; an evaluation more, of better weights, would change the version
    again = train(tmp_path, asked, measure=lambda _: 0.9, resume=True)
    assert (again.steps, again.best_ndcg) == (6, 0.5)
    assert equal(weights(again.model), weights(first.model))


def test_a_resumed_training_ends_with_the_best_weights_of_both_parts(tiny_cross_encoder: Path, tmp_path: Path) -> None:
    by_step = {2: 0.6, 4: 0.2, 6: 0.9, 8: 0.3, 10: 0.1}
    steps = iter([2, 4, 6, 6, 8, 10])
    measured = {}

    def measure(model: PairModel) -> float:
        at = next(steps)
        measured[at] = weights(model)
        return by_step[at]

    def stop(at: TrainingStep) -> None:
        if at.step == 7:
            raise StoppedError

    asked = settings(tiny_cross_encoder, "listnet", steps=10, batch=2, evaluate_every=2, save_every=5)
    with pytest.raises(StoppedError):
        train(tmp_path, asked, measure=measure, report=stop)
    (tmp_path / BEST / WEIGHTS).write_bytes(b"")  # the best of step 6 is found once more, not taken from here
    fitted = train(tmp_path, asked, measure=measure, resume=True)
    assert next(steps, None) is None
    assert fitted.best_ndcg == 0.9
    assert equal(weights(fitted.model), measured[6])


@pytest.mark.parametrize(("step", "number", "last"), [(12, 2, True), (12, 1, False), (11, 2, False)])
def test_the_last_step_is_that_of_the_last_pass(step: int, number: int, last: bool) -> None:
    figures: dict[str, Any] = {"loss": 0.5, "learning_rate": 1e-3, "pairs_per_second": 16.0, "seconds_left": 0.0}
    assert TrainingStep(step=step, steps=12, pass_number=number, passes=2, **figures).last == last
