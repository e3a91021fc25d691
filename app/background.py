"""Long work in a thread of its own: how far it is can be read, it can be stopped, and what came of it is kept.

One piece of work runs at a time in this process; the others wait for their turn. No thread here calls Streamlit.
"""

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from indexing.errors import SecondLookError, first_line
from indexing.progress import PhaseProgress, Progress

T = TypeVar("T")
KEPT = 4  # pieces of finished work of one kind
LOOK = 0.1  # seconds after which waiting work looks whether it was stopped
_turn = threading.Lock()
log = logging.getLogger(__name__)


class _StopError(Exception):
    """Ends the work of a thread from its next report of progress."""


class Job(Generic[T]):
    """One piece of work, shared by every session that asked for the same."""

    def __init__(self, work: Callable[[Progress], T]) -> None:
        self._work = work
        self._stop = threading.Event()
        self.state = "waiting"
        """`waiting`, `running`, `done`, `failed` or `stopped`."""
        self.progress = PhaseProgress()
        self.result: T | None = None
        """Once it is done."""
        self.problem = ""
        """One sentence, once it has failed."""

    @property
    def over(self) -> bool:
        """Whether nothing more will happen."""
        return self.state in ("done", "failed", "stopped")

    @property
    def stopping(self) -> bool:
        """Whether it was asked to stop."""
        return self._stop.is_set()

    def stop(self) -> None:
        """Ask it to end at its next report of progress; nothing of it is kept."""
        self._stop.set()

    def start(self) -> None:
        """Run it in a thread that ends with the process."""
        threading.Thread(target=self._run, name="second-look-work", daemon=True).start()

    def _run(self) -> None:
        try:
            while not _turn.acquire(timeout=LOOK):
                self._check()
            try:
                self._check()
                self.state = "running"
                self.result = self._work(self._report)
            finally:
                _turn.release()
            self.state = "done"
        except _StopError:
            self.state = "stopped"
        except (SecondLookError, OSError) as error:
            self._fail(str(error))
        except Exception as error:  # shown where it was asked for: nobody waits for this thread
            log.exception("Work in the background failed")
            self._fail(f"It ended with a fault of the program ({first_line(error)}); the server's log has the rest.")

    def _fail(self, sentence: str) -> None:
        self.problem = sentence
        self.state = "failed"

    def _report(self, phase: str, count: int, total: int) -> None:
        self._check()
        self.progress = self.progress.add(phase, count, total)

    def _check(self) -> None:
        if self._stop.is_set():
            raise _StopError


class Jobs(Generic[T]):
    """Work of one kind by what decides its result; the last few results are kept."""

    def __init__(self) -> None:
        self._jobs: OrderedDict[Hashable, Job[T]] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, key: Hashable) -> Job[T] | None:
        """The work of this key that is going on or done, if any."""
        with self._lock:
            return self._usable(key)

    def start(self, key: Hashable, work: Callable[[Progress], T]) -> Job[T]:
        """Begin it, unless the same is going on or done; what failed or was stopped begins anew."""
        with self._lock:
            found = self._usable(key)
            if found is not None:
                return found
            self._jobs[key] = job = Job(work)
            self._jobs.move_to_end(key)
            for old in [key for key, one in self._jobs.items() if one.over][:-KEPT]:
                del self._jobs[old]
        job.start()
        return job

    def _usable(self, key: Hashable) -> Job[T] | None:
        job = self._jobs.get(key)
        return None if job is None or job.stopping or job.state in ("failed", "stopped") else job
