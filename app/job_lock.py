"""A job's folder is held by its process as long as that lives; whoever looks can tell, and can have it ended."""

import fcntl
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from indexing.errors import IndexingError

FILE = "lock"
TRIES = 20  # to take a lock that somebody may be looking at, 10 ms apart


@contextmanager
def hold(folder: Path) -> Iterator[IO[str]]:
    """The lock of a job, held until the block ends and every process that got its file has ended or closed it.

    Raises IndexingError where another process holds it.
    """
    with (folder / FILE).open("a+", encoding="ascii") as lock:
        for attempt in range(TRIES):
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if attempt == TRIES - 1:
                    raise IndexingError(f"Job {folder.name} is going on already; wait for it, or stop it.") from None
                time.sleep(0.01)
        yield lock


def write_holder(lock: IO[str], number: int) -> None:
    """Note in a lock which process holds it."""
    lock.truncate(0)
    lock.write(str(number))
    lock.flush()


def is_held(folder: Path) -> bool:
    """Whether a process holds the lock of a job."""
    try:
        with (folder / FILE).open(encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)  # shared: who looks is in nobody's way who looks
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def signal_holder(folder: Path, wanted: signal.Signals) -> None:
    """Send a signal to the process that holds the lock, and to its children; nothing where there is none."""
    with suppress(OSError, ValueError):  # it has ended meanwhile, or has yet to be named
        number = int((folder / FILE).read_text(encoding="ascii"))
        if not is_held(folder):
            return
        if os.getpgid(number) == number:
            os.killpg(number, wanted)
        else:  # it was started from a shell, whose other processes are none of ours
            os.kill(number, wanted)
