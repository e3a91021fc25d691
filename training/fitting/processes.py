"""Training in several processes: this one's rank, from torchrun's or accelerate's environment, and reductions."""

import os
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, distributed

POLL = 0.5  # seconds


def rank() -> int:
    """This process's rank, from 0. Rank 0 gathers, writes and reports; the others only compute."""
    return int(os.environ.get("RANK", "0"))


def processes() -> int:
    """Number of processes that train together."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def wait_for(path: Path) -> None:
    """Wait until rank 0 has made a file or folder; if rank 0 fails, torchrun ends this process."""
    while not path.exists():
        time.sleep(POLL)


def in_any(here: bool, *, device: torch.device) -> bool:
    """Whether `here` is true in at least one process; every process must call this, and all get the same result."""
    if processes() == 1:
        return here
    flag = torch.tensor(float(here), device=device)
    distributed.all_reduce(flag, op=distributed.ReduceOp.MAX)
    return bool(flag)


def average_gradients(tensors: Sequence[Tensor]) -> None:
    """Replace each tensor by its mean over the processes; all must pass equally many, of the same shapes."""
    if processes() == 1:
        return
    for tensor in tensors:
        tensor /= processes()
        distributed.all_reduce(tensor)
