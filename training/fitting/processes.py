"""Which of several processes of one training this is, as torchrun and accelerate tell it, and what all agree on."""

import os
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, distributed

POLL = 0.5  # seconds


def rank() -> int:
    """From 0; the process of rank 0 gathers, writes and reports, the others only compute."""
    return int(os.environ.get("RANK", "0"))


def processes() -> int:
    """How many train together."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def wait_for(path: Path) -> None:
    """Until rank 0 has made a file or folder; torchrun ends this process where rank 0 failed."""
    while not path.exists():
        time.sleep(POLL)


def in_any(here: bool, *, device: torch.device) -> bool:
    """Whether it is so in one of the processes at least; every one must ask, and gets the same answer."""
    if processes() == 1:
        return here
    flag = torch.tensor(float(here), device=device)
    distributed.all_reduce(flag, op=distributed.ReduceOp.MAX)
    return bool(flag)


def average(tensors: Sequence[Tensor]) -> None:
    """Put its mean over the processes into each tensor; every process must give as many, of the same shapes."""
    if processes() == 1:
        return
    for tensor in tensors:
        tensor /= processes()
        distributed.all_reduce(tensor)
