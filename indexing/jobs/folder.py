"""A job's folder: held by its process for as long as it lives, with a log that anyone may read."""

import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from indexing import places
from indexing.errors import BusyError

LOCK, LOG = "lock", "log.txt"
LOG_END = 8_000  # bytes
TRIES = 20  # to take a lock that somebody may be looking at, 10 ms apart
NICENESS = 10  # searches on the same machine go first


def take(lock: IO[str]) -> bool:
    """Hold an open lock until every process that got its file has ended or closed it; False where another holds it."""
    for attempt in range(TRIES):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if attempt < TRIES - 1:
                time.sleep(0.01)
        else:
            return True
    return False


def write_holder(lock: IO[str], number: int) -> None:
    """Note in a lock which process holds it."""
    lock.truncate(0)
    lock.write(str(number))
    lock.flush()


def is_held(folder: Path) -> bool:
    """Whether a process holds the lock of a job."""
    try:
        with (folder / LOCK).open(encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)  # shared: who looks is in nobody's way who looks
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def launch(folder: Path, lock: IO[str], *arguments: str) -> None:
    """Start `python -m ARGUMENTS --lock FILE`, which holds the lock from now on and writes to the folder's log."""
    command = [sys.executable, "-m", *arguments, "--lock", str(lock.fileno())]
    with (folder / LOG).open("ab") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=environment(),
            pass_fds=(lock.fileno(),),
            start_new_session=True,
        )
    write_holder(lock, process.pid)
    threading.Thread(target=process.wait, daemon=True).start()  # takes its exit status, so that no zombie stays


def environment() -> dict[str, str]:
    """The environment of a process that is to find these packages, wherever it works."""
    paths = os.pathsep.join(filter(None, [str(places.CHECKOUT), os.environ.get("PYTHONPATH")]))
    return {**os.environ, "PYTHONPATH": paths}


def log_end(folder: Path, *, lines: int = 20) -> str:
    """The last lines of a job's log."""
    try:
        with (folder / LOG).open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - LOG_END))
            text = file.read().decode("utf-8", errors="replace")
    except OSError:
        return ""
    return "\n".join(text.rstrip().splitlines()[-lines:])


@contextmanager
def hold(folder: Path) -> Iterator[IO[str]]:
    """The lock of a job, held until the block ends and every process that got its file has ended or closed it.

    Raises BusyError where another process holds it.
    """
    with (folder / LOCK).open("a+", encoding="ascii") as lock:
        if not take(lock):
            raise BusyError(f"Job {folder.name} is going on already; wait for it, or stop it.")
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
