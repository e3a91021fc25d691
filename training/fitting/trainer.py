"""sentence-transformers' trainer with atomic checkpoints and batches in parts, smaller ones if memory is full."""

import logging
import math
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_model, save_model
from sentence_transformers.cross_encoder import CrossEncoderTrainer
from torch import Tensor

from indexing.disk import disk_errors
from indexing.errors import DiskFullError, TrainingError
from training.fitting import checkpoints, processes
from training.fitting.checkpoints import WEIGHTS
from training.recipes.losses import Counter

log = logging.getLogger(__name__)


class PairTrainer(CrossEncoderTrainer):
    """Trains a PairModel.

    A batch is computed in parts of `micro_batch` rows whose gradients add up to those of the whole: each part is
    weighted by what the loss is a mean over: rows, passages or pairs of passages. If memory is full, the parts are
    halved and the step is repeated, so the effective batch stays the same. A batch whose rows are each other's
    negatives is never divided; the loss's own mini-batch is halved instead.

    With several processes, each computes its parts alone, on the model itself rather than its distributed wrapper,
    whose backward passes wait for each other: processes may have different numbers of parts, and one may run out of
    memory in the middle. Then they exchange results: either all continue with the mean gradient, or all repeat.
    """

    def __init__(
        self,
        *args: Any,
        micro_batch: int,
        whole_batch: bool,
        counter: Counter,
        notes: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """`notes` go into the seal of each checkpoint, with the size of the parts."""
        super().__init__(*args, **kwargs)
        self.micro_batch = micro_batch
        self._notes = dict(notes or {})
        self._counter = counter
        self._whole_batch = whole_batch
        self._folder = Path(str(self.args.output_dir))

    def add_model_card_callback(self, default_args_dict: dict[str, Any]) -> None:
        """Add nothing: versions have their own card, and sentence-transformers' reads all training data first."""

    def training_step(self, model: Any, inputs: dict[str, Any], num_items_in_batch: Any = None) -> Tensor:
        """Compute the loss of this process's batch, and average the gradients over the processes.

        Raises TrainingError in every process if the loss of one isn't finite or its memory too small.
        """
        del num_items_in_batch
        model.train()
        inputs = self._prepare_inputs(inputs)
        while (loss := self._attempt(inputs)) is None:
            model.zero_grad(
                set_to_none=True
            )  # a step's gradients come from its own batch only, so nothing else is lost
            if torch.cuda.is_available():
                torch.cuda.empty_cache()
            self._halve()
        mean = loss.clone()
        processes.average_gradients([mean])
        if not math.isfinite(mean):
            raise TrainingError(
                f"The loss of step {self.state.global_step + 1} is {mean:g}: the training has diverged; give a lower "
                f"--learning-rate than {self.args.learning_rate:g}."
            )
        processes.average_gradients([parameter.grad for parameter in model.parameters() if parameter.grad is not None])
        return loss

    def _attempt(self, inputs: dict[str, Any]) -> Tensor | None:
        """The loss; None if memory is full in any of the processes."""
        loss = None
        with suppress(torch.OutOfMemoryError):  # drops the error, whose frames keep the memory in use
            loss = self._in_parts(inputs)
        return None if processes.in_any(loss is None, device=self.args.device) else loss

    def _in_parts(self, inputs: dict[str, Any]) -> Tensor:
        rows = len(next(iter(inputs.values())))
        size = rows if self._whole_batch else self.micro_batch
        total = torch.zeros((), device=self.args.device)
        whole = self._counter(inputs)
        for start in range(0, rows, size):
            part = {name: values[start : start + size] for name, values in inputs.items()}
            weight = self._counter(part) / whole  # before compute_loss, which removes the labels
            with self.compute_loss_context_manager():
                loss: Any = self.compute_loss(self.model, part)
            share = loss * weight
            self.accelerator.backward(share)
            total += share.detach()
        return total

    def _halve(self) -> None:
        if self.part == 1:
            raise TrainingError(
                "Memory is full even with one row at a time; give a smaller --max-length or base model."
            )
        self.part = max(1, self.part // 2)
        log.warning("Memory is full: continuing with parts of %d; the batch size stays the same", self.part)

    @property
    def part(self) -> int:
        """Rows, or with a loss on whole batches pairs, whose graph is in memory at once."""
        loss: Any = self.loss
        return int(loss.mini_batch_size if self._whole_batch else self.micro_batch)

    @part.setter
    def part(self, size: int) -> None:
        loss: Any = self.loss
        if self._whole_batch:
            loss.mini_batch_size = size
        else:
            self.micro_batch = size

    def _get_output_dir(self, trial: Any) -> str:
        del trial
        return str(self._folder / checkpoints.PARTIAL)

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        if self.args.should_save:
            checkpoints.partial_folder(self._folder)
        self.accelerator.wait_for_everyone()
        try:
            with disk_errors(self._folder):
                super()._save_checkpoint(model, trial)
        except DiskFullError:
            shutil.rmtree(self._folder / checkpoints.PARTIAL, ignore_errors=True)
            raise
        self.accelerator.wait_for_everyone()
        if self.args.should_save:
            evaluations = self._folder / checkpoints.EVALUATIONS
            if evaluations.is_file():
                name = f"checkpoint-{self.state.global_step}"
                shutil.copyfile(evaluations, self._folder / checkpoints.PARTIAL / name / checkpoints.EVALUATIONS)
            checkpoints.publish_checkpoint(self._folder, {**self._notes, "part": self.part})

    def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:
        """Save only the weights: a checkpoint is for resuming, not for serving."""
        del state_dict
        folder = Path(output_dir or self._folder)
        folder.mkdir(parents=True, exist_ok=True)
        save_model(self.model, str(folder / WEIGHTS))

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        del model
        self.restore(Path(resume_from_checkpoint))

    def restore(self, checkpoint: Path) -> None:
        """Load a checkpoint's weights."""
        load_model(self.model, str(checkpoint / WEIGHTS))
