"""Which of several processes of one training this is, as torchrun and accelerate tell it."""

import os
import time
from pathlib import Path

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
