"""Holds the folder of an index build, and has the process that holds it ended."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from indexing.errors import IndexingError
from indexing.job_folder import LOCK, is_held, take


@contextmanager
def hold(folder: Path) -> Iterator[IO[str]]:
    """The lock of a job, held until the block ends and every process that got its file has ended or closed it.

    Raises IndexingError where another process holds it.
    """
    with (folder / LOCK).open("a+", encoding="ascii") as lock:
        if not take(lock):
            raise IndexingError(f"Job {folder.name} is going on already; wait for it, or stop it.")
        yield lock


def signal_holder(folder: Path, wanted: signal.Signals) -> None:
    """Send a signal to the process that holds the lock, and to its children; nothing where there is none."""
    with suppress(OSError, ValueError):  # it has ended meanwhile, or has yet to be named
        number = int((folder / LOCK).read_text(encoding="ascii"))
        if not is_held(folder):
            return
        if os.getpgid(number) == number:
            os.killpg(number, wanted)
        else:  # it was started from a shell, whose other processes are none of ours
            os.kill(number, wanted)
