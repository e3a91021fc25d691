"""Follows the steps of a training: reports, evaluations on the dev set, best weights, early stopping."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerState

from indexing import atomic
from training.fitting import processes
from training.fitting.checkpoints import BEST, EVALUATIONS, keep_checkpoint
from training.fitting.model import PairModel
from training.fitting.resuming import read_evaluations
from training.recipes.settings import FitSettings


@dataclass(frozen=True, kw_only=True)
class TrainingStep:
    """The report of one step of the optimizer."""

    step: int
    steps: int
    loss: float | None
    """Loss of this step; None before the first one."""
    learning_rate: float
    pairs_per_second: float
    """Speed since this process began to train, without evaluations."""
    seconds_left: float
    """Estimated from that speed, without evaluations."""
    ndcg: float | None = None
    """nDCG@10 on the dev set if this step ended with an evaluation, else None."""
    best_ndcg: float | None = None
    """The best so far."""
    pass_number: int = 1
    """Which of several passes this step belongs to; `step` and `steps` are those of the pass."""
    passes: int = 1
    steps_before: int = 0
    """Steps of the passes before it."""

    @property
    def last(self) -> bool:
        """Whether this is the last step planned."""
        return self.step == self.steps and self.pass_number == self.passes


ReportStep = Callable[[TrainingStep], None]
Measure = Callable[[PairModel], float]
"""A function that returns the model's current nDCG@10."""


class TrainingMonitor(TrainerCallback):
    """Reports each step; if set, evaluates, saves the best weights and stops when they no longer improve."""

    def __init__(
        self,
        model: PairModel,
        folder: Path,
        settings: FitSettings,
        *,
        report: ReportStep,
        pairs_a_step: float,
        measure: Measure | None,
    ) -> None:
        self._model, self._folder, self._report = model, folder, report
        self._pairs_a_step = pairs_a_step
        self._measure = measure if settings.evaluate_every else None
        self._every, self._patience = settings.evaluate_every, settings.patience
        self._history: dict[int, float] = {}
        self._begun = 0.0
        self._first = 0
        self._elsewhere = 0.0
        self.checkpoint: Path | None = None
        """The checkpoint that the training goes on from; None for none."""
        self.losses: dict[int, float] = {}
        """Loss by step."""
        self.interrupted = False
        """Whether `report` raised KeyboardInterrupt, to stop after this step."""

    @property
    def best(self) -> float | None:
        """The best nDCG@10 so far."""
        return max(self._history.values(), default=None)

    def read_evaluations(self, step: int) -> bool:
        """Read an earlier process's evaluations up to `step`; True if by them training stopped early at that step.

        Raises:
            TrainingError: they can't be read.
        """
        known = read_evaluations(self._folder, self.checkpoint)
        self._history = {number: value for number, value in known.items() if number <= step}
        return step in self._history and self._has_waited()

    def read_losses(self, state: TrainerState) -> None:
        """Read the losses of an earlier process from the trainer's state."""
        self.losses = {int(log["step"]): float(log["loss"]) for log in state.log_history if "loss" in log}

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Start the clock; in a resumed training, forget evaluations after this step, which will be repeated."""
        del args, control
        self.read_evaluations(state.global_step)
        self.read_losses(state)
        self._begun, self._first, self._elsewhere = time.monotonic(), state.global_step, 0.0

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float] | None = None, **_: Any) -> None:
        """Record, evaluate if due, and report the step that has just ended."""
        if not logs or "loss" not in logs:
            return
        self.losses[state.global_step] = float(logs["loss"])
        ndcg = None
        if self._measure and (state.global_step % self._every == 0 or state.global_step == state.max_steps):
            ndcg = self._evaluate(state.global_step, self._measure)
            if self._has_waited():
                control.should_training_stop = True
        steps_here = state.global_step - self._first
        seconds = max(time.monotonic() - self._begun - self._elsewhere, 1e-9)
        try:
            self._report(
                TrainingStep(
                    step=state.global_step,
                    steps=state.max_steps,
                    loss=float(logs["loss"]),
                    learning_rate=float(logs.get("learning_rate", 0.0)),
                    pairs_per_second=steps_here * self._pairs_a_step / seconds,
                    seconds_left=(state.max_steps - state.global_step) * seconds / max(steps_here, 1),
                    ndcg=ndcg,
                    best_ndcg=self.best,
                )
            )
        except KeyboardInterrupt:
            if processes.processes() > 1:  # the others would wait forever in the next step
                raise
            control.should_save = args.save_strategy != "no"
            control.should_training_stop = self.interrupted = True

    def _evaluate(self, step: int, measure: Measure) -> float:
        start = time.monotonic()
        self._model.eval()
        value = measure(self._model)
        self._model.train()
        if processes.rank() == 0 and (self.best is None or value > self.best):
            keep_checkpoint(self._model, self._folder / BEST, step=step)
        self._history[step] = value
        if processes.rank() == 0:
            atomic.write_json(self._folder / EVALUATIONS, self._history)
        self._elsewhere += time.monotonic() - start
        return value

    def _has_waited(self) -> bool:
        """Whether `patience` evaluations or more have followed the best one."""
        values = [self._history[step] for step in sorted(self._history)]
        return bool(self._patience and values) and len(values) - 1 - values.index(max(values)) >= self._patience
