"""Jobs: work in processes of their own that outlive the page which started them. All that is known of one is on disk.

data/jobs/<id>/config.json   what was requested
               status.json   how far it is, replaced whole
               log.txt       what its process printed
               lock          locked while its process lives, however that ends; holds the process's id
               stop          exists once the process was asked to stop
"""

import fcntl
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, ClassVar, Generic, Protocol, Self, TypeVar

from indexing import atomic, places
from indexing.errors import BusyError, SecondLookError, SettingsError

CONFIG, STATUS, LOG, LOCK, STOP = "config.json", "status.json", "log.txt", "lock", "stop"
LOG_END = 8_000  # bytes
TRIES = 20  # to take a lock that others read or hold for a moment, 10 ms apart
NICENESS = 10  # searches on the same machine go first
WRITTEN_EVERY = 0.5  # seconds between two writes of a status


class HasState(Protocol):
    """A job's status as its process last wrote it."""

    @property
    def state(self) -> str:
        """How far the process is, in one word."""


RequestT = TypeVar("RequestT")
StatusT = TypeVar("StatusT", bound=HasState)


@dataclass(frozen=True)
class Job(ABC, Generic[RequestT, StatusT]):
    """A job as it was when its folder was read. Each kind says how its request and status are stored."""

    folder: Path
    request: RequestT
    status: StatusT
    state: str
    """That of the status; or `stopping`; or `crashed`: its process ended without writing how."""

    PREFIX: ClassVar[str]
    """How the names of these folders begin; other kinds lie beside them."""
    FINAL: ClassVar[tuple[str, ...]]
    """States in which nothing more happens by itself."""
    COMMAND: ClassVar[tuple[str, ...]]
    """Arguments of `python -m` that run a job; its folder follows."""
    RESUME: ClassVar[tuple[str, ...]] = ()
    """Arguments after the folder, where the job ran before."""
    STOPS_CHILDREN: ClassVar[bool] = True
    """Whether its children are asked to stop too, or only its own process."""

    @staticmethod
    @abstractmethod
    def read_request(folder: Path) -> RequestT:
        """What was requested. Raises SettingsError where that can't be read."""

    @staticmethod
    @abstractmethod
    def read_status(folder: Path) -> StatusT:
        """What its process last wrote. Raises SettingsError where that can't be read."""

    @staticmethod
    @abstractmethod
    def request_as_json(request: RequestT) -> dict[str, Any]:
        """The request as plain data."""

    @staticmethod
    @abstractmethod
    def queued(before: StatusT | None) -> StatusT:
        """The status until the process writes its own; `before` is that of an earlier run."""

    @staticmethod
    @abstractmethod
    def obstacle(request: RequestT, running: Sequence[Any]) -> str:
        """Why this can't run beside these jobs of its kind, as a sentence; empty where it can."""

    def remove_work(self) -> None:
        """Remove what the job left outside its folder and nobody needs without it."""

    @property
    def name(self) -> str:
        """Its id."""
        return self.folder.name

    @property
    def alive(self) -> bool:
        """Whether its process lives."""
        return self.state != "crashed" and self.state not in self.FINAL

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """The job of a folder; None where its request or status can't be read."""
        locked = is_held(folder)  # first: a process that has let go of the lock has written how it ended
        try:
            request, status = cls.read_request(folder), cls.read_status(folder)
        except SecondLookError:
            return None
        return cls(folder, request, status, cls._state(folder, status, locked=locked))

    @classmethod
    def all(cls, root: Path | None = None) -> list[Self]:
        """Every job of this kind that can be read, the newest first."""
        folders = sorted((root or places.jobs()).glob(f"{cls.PREFIX}*"), reverse=True)
        return [job for folder in folders if (job := cls.read(folder)) is not None]

    @classmethod
    def new_folder(cls, root: Path | None = None) -> Path:
        """A folder for a job, not made yet, whose name sorts by time."""
        return (root or places.jobs()) / f"{cls.PREFIX}{datetime.now(UTC):%Y%m%d-%H%M%S-%f}-{secrets.token_hex(2)}"

    @classmethod
    def start(cls, request: RequestT, folder: Path, *, fill: Callable[[Path], object] = lambda _: None) -> Self:
        """Begin a job in a process of its own; `fill` puts files that it needs into its folder.

        Raises:
            BusyError: another job is in the way.
            SecondLookError, OSError: from `fill`. Nothing is left of this job then.
        """
        with ExitStack() as stack:
            with atomic.folder(folder) as work:
                lock = stack.enter_context(cls.hold(work, request))
                fill(work)
                atomic.write_json(work / CONFIG, cls.request_as_json(request))
                write_status(work, status := cls.queued(None))
            launch(folder, lock, *cls.COMMAND, str(folder))
        return cls(folder, request, status, status.state)

    def resume(self) -> None:
        """Run a job again that ended. Raises BusyError while it runs, or another job is in the way."""
        with self.hold(self.folder, self.request) as lock:
            write_status(self.folder, self.queued(self.read_status(self.folder)))
            launch(self.folder, lock, *self.COMMAND, str(self.folder), *self.RESUME)

    def stop(self) -> None:
        """Ask the job's process to stop; the second time, end it and its children at once."""
        job = self.read(self.folder)
        if job is not None and job.alive:
            (self.folder / STOP).touch()
            if job.state == "stopping":
                signal_holder(self.folder, signal.SIGKILL, children=True)
            else:
                signal_holder(self.folder, signal.SIGTERM, children=self.STOPS_CHILDREN)

    def forget(self) -> None:
        """Remove a job, unless it runs; what it made stays."""
        with suppress(BusyError, FileNotFoundError), hold(self.folder):
            self.remove_work()
            shutil.rmtree(self.folder)

    @classmethod
    @contextmanager
    def hold(cls, folder: Path, request: RequestT | None = None) -> Iterator[IO[str]]:
        """The lock of a job that is about to run, held as by `hold`; an earlier request to stop is dropped.

        Raises BusyError where another process holds it, or another job is in the way.
        """
        with ExitStack() as stack:
            with _one_at_a_time(folder.parent):
                others = [job for job in cls.all(folder.parent) if job.alive and job.name != folder.name]
                if sentence := cls.obstacle(cls.read_request(folder) if request is None else request, others):
                    raise BusyError(sentence)
                lock = stack.enter_context(hold(folder))
            lock.truncate(0)
            (folder / STOP).unlink(missing_ok=True)
            yield lock

    @classmethod
    def _state(cls, folder: Path, status: StatusT, *, locked: bool) -> str:
        if status.state in cls.FINAL:
            return status.state
        stop = (folder / STOP).exists()
        if locked:
            return "stopping" if stop else status.state
        return "stopped" if stop else "crashed"


class StatusWriter(Generic[StatusT]):
    """Holds the status of a job that runs in this process, and writes it twice a second at most."""

    def __init__(self, folder: Path, status: StatusT, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.folder, self.status, self.clock = folder, status, clock
        self._written = clock()

    def write(self) -> None:
        """Put it on disk now."""
        self._written = self.clock()
        write_status(self.folder, self.status)

    def write_if_due(self) -> None:
        """Put it on disk where it was last written half a second ago or earlier."""
        if self.clock() - self._written >= WRITTEN_EVERY:
            self.write()


def write_status(folder: Path, status: HasState) -> None:
    """Replace a job's status in one step."""
    atomic.write_json(folder / STATUS, asdict(status))  # type: ignore[call-overload]  # every status is a dataclass


def read_json(path: Path) -> object:
    """The value of a job's file. Raises SettingsError where it can't be read."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path} can't be read ({error}); give the folder of a job, or delete it.") from None


@contextmanager
def hold(folder: Path) -> Iterator[IO[str]]:
    """The lock of a job, held until the block ends and every process that got its file has ended or closed it.

    Raises BusyError where another process holds it.
    """
    with (folder / LOCK).open("a+", encoding="ascii") as lock:
        for attempt in range(TRIES):
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if attempt == TRIES - 1:
                    raise BusyError(f"Job {folder.name} is already running; wait for it, or stop it.") from None
                time.sleep(0.01)
            else:
                break
        yield lock


def is_held(folder: Path) -> bool:
    """Whether a process holds the lock of a job."""
    try:
        with (folder / LOCK).open(encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)  # shared: readers never block one another
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def write_holder(lock: IO[str], number: int) -> None:
    """Note in a lock which process holds it."""
    lock.truncate(0)
    lock.write(str(number))
    lock.flush()


def signal_holder(folder: Path, number: signal.Signals, *, children: bool) -> None:
    """Send a signal to the process that holds the lock, and to its `children`; nothing where no process does."""
    with suppress(OSError, ValueError):  # it has ended in the meantime, or hasn't written its id yet
        process = int((folder / LOCK).read_text(encoding="ascii"))
        if not is_held(folder):
            return
        if children and os.getpgid(process) == process:
            os.killpg(process, number)
        else:  # also where it was started from a shell, whose other processes aren't ours
            os.kill(process, number)


def launch(folder: Path, lock: IO[str], *arguments: str) -> None:
    """Start `python -m ARGUMENTS --lock FILE`, which holds the lock from then on and writes to the folder's log."""
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


@contextmanager
def running(folder: Path, *, lock: int | None, kind: type[Job[Any, Any]]) -> Iterator[None]:
    """This process runs the job for the block: by the descriptor of a lock that it was given, else by a lock it takes.

    Where it was given the lock, it gives way to others: it was started in the background.
    """
    if lock is None:
        with kind.hold(folder) as own:
            write_holder(own, os.getpid())
            yield
        return
    with os.fdopen(lock, "a", encoding="ascii"):
        os.nice(NICENESS)
        yield


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
def _one_at_a_time(root: Path) -> Iterator[None]:
    """No other process decides in the meantime which job may run."""
    for _ in range(TRIES):
        with atomic.locked(root) as free:
            if free:
                yield
                return
        time.sleep(0.01)
    raise BusyError(f"Another job is being started in {root}; try again in a moment.")
