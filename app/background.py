"""Runs long work in threads: its progress can be read, it can be stopped, and its result is kept.

One job that computes runs at a time in this process; the others wait for their turn. No thread here calls Streamlit.
"""

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from indexing.errors import SecondLookError, first_line
from indexing.progress import PhaseProgress, Progress

T = TypeVar("T")
RESULTS_KEPT = 4  # finished jobs of one kind
LEAST_ELAPSED = 1.0  # seconds of a phase before its speed tells how long the rest will take
POLL = 0.1  # seconds between two checks of a waiting job for being stopped
_turn = threading.Lock()
log = logging.getLogger(__name__)


_running: "list[BackgroundJob[Any]]" = []  # of this process, of every kind, in the order in which they were started


class _StopError(Exception):
    """Ends a job at its next report of progress."""


@dataclass(frozen=True)
class Subject:
    """What a piece of work is called, and the page that shows it."""

    title: str = "other work"
    page: str = ""
    """The folder of the page in `views`; empty for none."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    """Of the page's link."""
    choice: object = None
    """What a user set, as the page keeps it."""
    unit: str = "queries"
    """What its progress counts."""
    computes: bool = True
    """Whether it needs this machine's processors for long; what mostly waits for another machine takes no turn."""


class BackgroundJob(Generic[T]):
    """One piece of work, shared by all sessions that requested it."""

    def __init__(self, work: Callable[[Progress], T], subject: Subject | None = None) -> None:
        self._work = work
        self._stop = threading.Event()
        self.subject = subject or Subject()
        self._phase_began = time.monotonic()
        self.state = "waiting"
        """`waiting`, `running`, `done`, `failed` or `stopped`."""
        self.progress = PhaseProgress()
        self.result: T | None = None
        """The work's return value once the state is `done`."""
        self.problem = ""
        """What went wrong, in one sentence, once the state is `failed`."""

    @property
    def over(self) -> bool:
        """Whether it is done, failed or stopped."""
        return self.state in ("done", "failed", "stopped")

    @property
    def stopping(self) -> bool:
        """Whether a stop was requested."""
        return self._stop.is_set()

    @property
    def seconds_left(self) -> float | None:
        """Remaining time of this phase, at its speed so far; None while unknown."""
        progress, elapsed = self.progress, time.monotonic() - self._phase_began
        if elapsed < LEAST_ELAPSED or not 0 < progress.count <= progress.total:
            return None
        return (progress.total - progress.count) * elapsed / progress.count

    def stop(self) -> None:
        """Request that it end at its next report of progress; no result is kept."""
        self._stop.set()

    def start(self) -> None:
        """Run it in a daemon thread, which ends with the process."""
        _running.append(self)
        threading.Thread(target=self._run, name="second-look-work", daemon=True).start()

    def _run(self) -> None:
        try:
            self._do()
        finally:
            _running.remove(self)

    def _do(self) -> None:
        try:
            with self._turn() if self.subject.computes else nullcontext():
                self._check()
                self.state = "running"
                self.result = self._work(self._report)
            self.state = "done"
        except _StopError:
            self.state = "stopped"
        except (SecondLookError, OSError) as error:
            self._fail(str(error))
        except Exception as error:  # the page shows it; nothing joins this thread
            log.exception("Work in the background failed")
            self._fail(f"It failed with an internal error ({first_line(error)}); the server's log has the details.")

    @contextmanager
    def _turn(self) -> Iterator[None]:
        while not _turn.acquire(timeout=POLL):
            self._check()
        try:
            yield
        finally:
            _turn.release()

    def _fail(self, sentence: str) -> None:
        self.problem = sentence
        self.state = "failed"

    def _report(self, phase: str, count: int, total: int) -> None:
        self._check()
        before, self.progress = self.progress, self.progress.add(phase, count, total)
        if (before.phase, before.total) != (phase, total) or self.progress.count < before.count:
            self._phase_began = time.monotonic()

    def _check(self) -> None:
        if self._stop.is_set():
            raise _StopError


class BackgroundJobs(Generic[T]):
    """Jobs of one kind by a key of everything that determines the result; the last few results are kept."""

    def __init__(self) -> None:
        self._jobs: OrderedDict[Hashable, BackgroundJob[T]] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, key: Hashable) -> BackgroundJob[T] | None:
        """The waiting, running or done job with this key, if any."""
        with self._lock:
            return self._usable(key)

    def newest(self) -> BackgroundJob[T] | None:
        """The job that runs or, where none does, the one done last; of several, the one started last. None for none."""
        with self._lock:
            usable = [job for key in reversed(self._jobs) if (job := self._usable(key)) is not None]
        return next((job for job in usable if not job.over), usable[0] if usable else None)

    def start(
        self, key: Hashable, work: Callable[[Progress], T], subject: Subject | None = None, *, again: bool = False
    ) -> BackgroundJob[T]:
        """The job with this key; a new one is started where none is waiting, running or done.

        With `again` one that is done is done anew, as work must be that leaves something others may have removed since.
        """
        with self._lock:
            existing = self._usable(key)
            if existing is not None and not (again and existing.over):
                return existing
            self._jobs[key] = job = BackgroundJob(work, subject)
            self._jobs.move_to_end(key)
            for old in [key for key, one in self._jobs.items() if one.over][:-RESULTS_KEPT]:
                del self._jobs[old]
        job.start()
        return job

    def _usable(self, key: Hashable) -> BackgroundJob[T] | None:
        job = self._jobs.get(key)
        return None if job is None or job.stopping or job.state in ("failed", "stopped") else job


def running_jobs() -> list[BackgroundJob[Any]]:
    """All work of this process that isn't over, what runs first, then what waits for it."""
    return sorted((job for job in list(_running) if not job.over), key=lambda job: job.state != "running")


def work_ahead() -> BackgroundJob[Any] | None:
    """The work that has its turn now, which the others wait for; None where nothing runs."""
    return next((job for job in running_jobs() if job.state == "running" and job.subject.computes), None)
