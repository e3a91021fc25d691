"""Trains, tells of each step and then holds still, to be killed: `python -m tests.kill_training FOLDER BASE STEP`."""

import sys
import time
from pathlib import Path

import torch

from tests.tiny_training import resumable, train
from training.watch import Progress


def main() -> None:
    """Train in one thread, up to a step that never ends."""
    folder, base, last = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])

    def report(at: Progress) -> None:
        sys.stdout.write(f"{at.step}\n")
        sys.stdout.flush()
        while at.step == last:
            time.sleep(1)

    torch.set_num_threads(1)
    train(folder, resumable(base, "listnet"), report=report)


if __name__ == "__main__":
    main()
