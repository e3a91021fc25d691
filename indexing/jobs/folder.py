"""Jobs: background processes that outlive the page that started them. Everything about a job is stored in its folder.

data/jobs/<id>/config.json   the request
               status.json   the progress, replaced as a whole
               log.txt       the output of its process
               lock          locked while its process lives, however it ends; contains the process's id
               stop          exists once the process has been asked to stop
               needs.json    which indexes it reads, if any
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
from indexing.errors import BusyError, SecondLookError, SettingsError, first_line
from indexing.jobs.needs import NEEDS, Needs

CONFIG, STATUS, LOG, LOCK, STOP = "config.json", "status.json", "log.txt", "lock", "stop"
LOG_END = 8_000  # bytes
TRIES = 20  # attempts, 10 ms apart, to take a lock that others hold for a moment
NICENESS = 10  # lower priority than searches on the same machine
WRITTEN_EVERY = 0.5  # seconds between two writes of a status


class HasState(Protocol):
    """A job's status as its process last wrote it."""

    @property
    def state(self) -> str:
        """The state of the job, in one word."""


T = TypeVar("T")
RequestT = TypeVar("RequestT")
StatusT = TypeVar("StatusT", bound=HasState)


@dataclass(frozen=True)
class Job(ABC, Generic[RequestT, StatusT]):
    """A job as it was when its folder was read. Each subclass defines how its request and status are stored."""

    folder: Path
    request: RequestT
    status: StatusT
    state: str
    """The status's state; or `stopping`; or, if its process ended without a final status, `stopped` or `crashed`."""

    PREFIX: ClassVar[str]
    """Prefix of the folders' names, because jobs of several kinds share one parent folder."""
    FINAL: ClassVar[tuple[str, ...]]
    """States in which the job has ended."""
    COMMAND: ClassVar[tuple[str, ...]]
    """Arguments of `python -m` that run a job; its folder follows."""
    RESUME: ClassVar[tuple[str, ...]] = ()
    """Arguments after the folder if the job has run before."""
    STOPS_CHILDREN: ClassVar[bool] = True
    """Whether its process's children are asked to stop too."""

    @staticmethod
    @abstractmethod
    def read_request(folder: Path) -> RequestT:
        """The request. Raises SettingsError if it can't be read."""

    @staticmethod
    @abstractmethod
    def read_status(folder: Path) -> StatusT:
        """The status that its process last wrote. Raises SettingsError if it can't be read."""

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
        """Why this can't run beside these jobs of its kind, as a sentence; empty if it can."""

    @staticmethod
    def needs(request: RequestT) -> Needs | None:
        """The indexes that it reads; None for none."""
        del request
        return None

    def remove_work(self) -> None:
        """Remove files outside the job's folder that are of no use without it."""

    @property
    def name(self) -> str:
        """The job's id."""
        return self.folder.name

    @property
    def alive(self) -> bool:
        """Whether its process is running."""
        return self.state != "crashed" and self.state not in self.FINAL

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """The job of a folder; None if its request or status can't be read."""
        read = cls._read(folder)
        return None if isinstance(read, str) else read

    @classmethod
    def _read(cls, folder: Path) -> Self | str:
        """The job of a folder, or a sentence on why it can't be read."""
        locked = is_held(folder)  # first, because a process writes its final status before it releases the lock
        try:
            request = _read_part(folder / CONFIG, cls.read_request)
            status = _read_part(folder / STATUS, cls.read_status)
        except SecondLookError as error:
            return str(error)
        return cls(folder, request, status, cls._state(folder, status, locked=locked))

    @classmethod
    def broken(cls, root: Path | None = None) -> list[str]:
        """A sentence for each folder of a job of this kind that can't be read, newest first."""
        folders = sorted((root or places.jobs()).glob(f"{cls.PREFIX}*"), reverse=True)
        read = [(folder, cls._read(folder)) for folder in folders]
        return [f"Job {folder.name}: {found}" for folder, found in read if isinstance(found, str) and folder.is_dir()]

    @classmethod
    def all(cls, root: Path | None = None) -> list[Self]:
        """Every job of this kind that can be read, newest first."""
        folders = sorted((root or places.jobs()).glob(f"{cls.PREFIX}*"), reverse=True)
        return [job for folder in folders if (job := cls.read(folder)) is not None]

    @classmethod
    def new_folder(cls, root: Path | None = None) -> Path:
        """The path for a new job's folder, whose name sorts by time."""
        return (root or places.jobs()) / f"{cls.PREFIX}{datetime.now(UTC):%Y%m%d-%H%M%S-%f}-{secrets.token_hex(2)}"

    @classmethod
    def start(cls, request: RequestT, folder: Path, *, fill: Callable[[Path], object] = lambda _: None) -> Self:
        """Start a job in a process of its own; `fill` puts files that it needs into its folder.

        Raises:
            BusyError: another job prevents it.
            SecondLookError, OSError: `fill` failed. Then nothing is left of this job.
        """
        with ExitStack() as stack:
            with atomic.folder(folder) as work:
                lock = stack.enter_context(cls.hold(work, request))
                fill(work)
                cls.write_request(work, request)
                write_status(work, status := cls.queued(None))
            launch(folder, lock, *cls.COMMAND, str(folder))
        return cls(folder, request, status, status.state)

    @classmethod
    def write_request(cls, folder: Path, request: RequestT) -> None:
        """Write a request, and what it needs, into a job's folder."""
        atomic.write_json(folder / CONFIG, cls.request_as_json(request))
        if (needs := cls.needs(request)) is not None:
            atomic.write_json(folder / NEEDS, asdict(needs))

    def resume(self) -> None:
        """Run a job again that has ended. Raises BusyError if it is still running, or another job prevents it."""
        with self.hold(self.folder, self.request) as lock:
            write_status(self.folder, self.queued(self.read_status(self.folder)))
            launch(self.folder, lock, *self.COMMAND, str(self.folder), *self.RESUME)

    def stop(self) -> None:
        """Ask the job's process to stop; a second call kills it and its children at once."""
        job = self.read(self.folder)
        if job is not None and job.alive:
            (self.folder / STOP).touch()
            if job.state == "stopping":
                signal_holder(self.folder, signal.SIGKILL, children=True)
            else:
                signal_holder(self.folder, signal.SIGTERM, children=self.STOPS_CHILDREN)

    def forget(self) -> None:
        """Remove a job unless it is running; its results stay."""
        with suppress(BusyError, FileNotFoundError), hold(self.folder):
            self.remove_work()
            shutil.rmtree(self.folder)

    @classmethod
    @contextmanager
    def hold(cls, folder: Path, request: RequestT | None = None) -> Iterator[IO[str]]:
        """Take the lock of a job that is about to run, as `hold` does; an earlier request to stop is dropped.

        Raises BusyError if another process holds it, or another job prevents this one.
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


def _read_part(path: Path, read: Callable[[Path], T]) -> T:
    """What `read` makes of a file in a job's folder. Raises SettingsError that names the file, whatever is wrong."""
    try:
        return read(path.parent)
    except SecondLookError as error:
        raise (error if str(path) in str(error) else SettingsError(f"{path}: {error}")) from None
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
        raise SettingsError(f"{path} is damaged ({first_line(error)}); delete {path.parent}.") from None


class StatusWriter(Generic[StatusT]):
    """Holds the status of a job that runs in this process, and writes it at most twice a second."""

    def __init__(self, folder: Path, status: StatusT, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.folder, self.status, self.clock = folder, status, clock
        self._written = clock()

    def write(self) -> None:
        """Write the status to disk now."""
        self._written = self.clock()
        write_status(self.folder, self.status)

    def write_if_due(self) -> None:
        """Write the status to disk if the last write was at least half a second ago."""
        if self.clock() - self._written >= WRITTEN_EVERY:
            self.write()


def write_status(folder: Path, status: HasState) -> None:
    """Replace a job's status in one step."""
    atomic.write_json(folder / STATUS, asdict(status))  # type: ignore[call-overload]  # every status is a dataclass


def read_json(path: Path) -> object:
    """The JSON value of a job's file. Raises SettingsError if it can't be read."""
    try:
        value: object = json.loads(path.read_text(encoding="utf-8"))
        json.dumps(value, ensure_ascii=False).encode("utf-8")  # half of a surrogate pair can't be shown
    except (OSError, ValueError, RecursionError) as error:
        reason = first_line(error)
        raise SettingsError(f"{path} can't be read ({reason}); give the folder of a job, or delete it.") from None
    return value


@contextmanager
def hold(folder: Path) -> Iterator[IO[str]]:
    """Take the lock of a job until the block ends and every process that inherited its file has ended or closed it.

    Raises BusyError if another process holds it.
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
    """Write the id of the process that holds a lock to its file."""
    lock.truncate(0)
    lock.write(str(number))
    lock.flush()


def signal_holder(folder: Path, number: signal.Signals, *, children: bool) -> None:
    """Send a signal to the process that holds the lock, if any, and with `children` to its children."""
    with suppress(OSError, ValueError):  # it has ended in the meantime, or its id isn't written yet
        process = int((folder / LOCK).read_text(encoding="ascii"))
        if not is_held(folder):
            return
        if children and os.getpgid(process) == process:
            os.killpg(process, number)
        else:  # also if it was started from a shell, whose other processes aren't the job's
            os.kill(process, number)


def launch(folder: Path, lock: IO[str], *arguments: str) -> None:
    """Start `python -m ARGUMENTS --lock FILE`, which from then on holds the lock and writes to the folder's log."""
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
    threading.Thread(target=process.wait, daemon=True).start()  # collects its exit status, so that no zombie remains


@contextmanager
def running(folder: Path, *, lock: int | None, kind: type[Job[Any, Any]]) -> Iterator[None]:
    """Run the job in this process during the block: with the descriptor of an inherited `lock`, else a lock of its own.

    With an inherited lock, the process was started in the background, so it lowers its priority.
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
    """The environment for a process that must be able to import these packages from any working directory."""
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
    """During the block, no other process can decide which job may run. Raises BusyError if one is doing so for long."""
    for _ in range(TRIES):
        with atomic.locked(root) as free:
            if free:
                yield
                return
        time.sleep(0.01)
    raise BusyError(f"Another job is being started in {root}; try again in a moment.")
