"""A training in two processes that exchange gradients by gloo, the second of which can be made to fail."""

import os
import signal
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, distributed

from tests.support.tiny_training import settings, train, weights
from training.fitting import model
from training.fitting.model import PairModel

LIMIT = 45  # seconds until both are ended, which wait for each other for ever if they don't agree
WEIGHTS = "weights.safetensors"
EMBEDDINGS = "word_embeddings.weight"
"""A backward pass comes to it last, when all other gradients are there."""


class FailingModel(PairModel):
    """Fails once, in the second step's forward pass or at the end of its backward pass, or gives no numbers there."""

    fault = ""
    passes = 0

    def forward(self, input: dict[str, Any], **kwargs: Any) -> dict[str, Tensor]:  # noqa: A002  # the base's name
        found = super().forward(input, **kwargs)
        if not torch.is_grad_enabled():
            return found
        self.passes += 1
        if self.passes == 1:
            weight: Any = next(value for name, value in self.named_parameters() if name.endswith(EMBEDDINGS))
            weight.register_hook(self._end_backward)
        if self.passes == 2 and self.fault == "full in a forward pass":
            raise torch.OutOfMemoryError("full")
        return {"scores": found["scores"] * float("nan")} if self.passes == 2 and self.fault == "nan" else found

    def _end_backward(self, gradient: Tensor) -> Tensor:
        if self.passes == 2 and self.fault == "full in a backward pass":
            raise torch.OutOfMemoryError("full")
        return gradient


def train_as_two(folder: Path, base: str, *, fault: str, **given: Any) -> None:
    """Fork, and train on the rows in `folder` as both; the weights of rank 0 are put there."""
    child = os.fork()
    rank = int(child == 0)
    try:
        signal.alarm(LIMIT)
        names = {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2"}
        os.environ.update(names, MASTER_ADDR="127.0.0.1", MASTER_PORT="1")  # nobody listens: they meet at a file
        distributed.init_process_group("gloo", init_method=f"file://{folder}/store", rank=rank, world_size=2)
        if rank == 1:
            model.PairModel = FailingModel  # type: ignore[misc]  # of this process, which ends with the training
            FailingModel.fault = fault
        fitted = train(folder, settings(base, "listnet", steps=3, learning_rate=1e-3, batch=2, **given))
        if rank == 0:
            save_file(dict(weights(fitted.model)), str(folder / WEIGHTS))
    finally:
        if rank == 0:
            _, status = os.waitpid(child, 0)
            os.write(2, f"rank 1 ended with {os.waitstatus_to_exitcode(status)}\n".encode())
