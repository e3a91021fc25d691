"""Trainings that outlive the page which started them: all that is known of one is in its folder.

data/jobs/<id>/config.json     what is to be trained
               status.json     how far it is, replaced whole
               metrics.jsonl   one line a step
               preview.json    some rows that it learns from, and what was left out
               log.txt         what its process said
               lock            held while its process lives, however that ends; holds the process's id
               stop            is there once the process was asked to stop
"""

import json
import os
import secrets
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from indexing import atomic, places
from indexing.errors import BusyError, SecondLookError, SettingsError
from indexing.jobs.folder import LOCK, is_held, launch, take
from indexing.typed_json import made
from training.jobs.status import FINAL, Status, read_status, write_status
from training.train.request import Request

KIND = "training-"  # how the folders of these jobs begin; others lie beside them
CONFIG, STOP = "config.json", "stop"
TRIES = 20  # to begin while another begins, 10 ms apart


@dataclass(frozen=True)
class Job:
    """A job as it was when it was looked at."""

    folder: Path
    request: Request
    status: Status
    state: str
    """As the status says; or `stopping`; or `crashed`: its process ended without a word."""

    @property
    def name(self) -> str:
        """Its id."""
        return self.folder.name

    @property
    def alive(self) -> bool:
        """Whether its process lives."""
        return self.state != "crashed" and self.state not in FINAL

    @property
    def can_resume(self) -> bool:
        """Whether it ended before there was a version."""
        return not self.alive and self.state != "finished"


def request_from_json(values: object, *, place: str) -> Request:
    """What `Request.as_json` gave. Raises SettingsError, with the place, for what is no request."""
    return made(Request, values, place)


def read_request(folder: Path) -> Request:
    """What a job is to train. Raises SettingsError where config.json can't be read or says what can't be."""
    path = folder / CONFIG
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path} can't be read ({error}); name the folder of a training job.") from None
    return request_from_json(values, place=str(path))


def jobs(root: Path | None = None) -> list[Job]:
    """Every training that can be read, the newest first."""
    folders = sorted((root or places.jobs()).glob(f"{KIND}*"), reverse=True)
    return [job for folder in folders if (job := read_job(folder)) is not None]


def read_job(folder: Path) -> Job | None:
    """The job of a folder; None where it holds none that can be read."""
    held = is_held(folder)  # first: whoever lets go of the lock has written how it ended
    try:
        request, status = read_request(folder), read_status(folder)
    except SecondLookError:
        return None
    return Job(folder, request, status, _state(folder, status, held=held))


def new_folder(root: Path | None = None) -> Path:
    """A folder for a job, not made yet, whose name sorts by time."""
    return (root or places.jobs()) / f"{KIND}{datetime.now(UTC):%Y%m%d-%H%M%S-%f}-{secrets.token_hex(2)}"


def next_output(name: str, *, models: Path | None = None, root: Path | None = None) -> Path:
    """The first version of this name that neither is there nor is some job's to make."""
    models = models or places.models()
    asked = {job.request.output.absolute() for job in jobs(root)}
    number = 1
    while (output := models / name / str(number)).absolute() in asked or output.exists():
        number += 1
    return output


def start(request: Request, folder: Path, *, fill: Callable[[Path], object] = lambda _: None) -> None:
    """Begin a training in a process of its own; `fill` puts files that it needs into the job's folder.

    Raises:
        BusyError: a training is running already.
        SecondLookError, OSError: as `fill` says. Nothing is left of this job then.
    """
    with ExitStack() as stack:
        with atomic.folder(folder) as work:
            lock = stack.enter_context(hold(work))
            fill(work)
            atomic.write_json(work / CONFIG, request.as_json())
            write_status(work, Status(started=time.time(), updated=time.time()))
        launch(folder, lock, "training", "run", str(folder))


def resume(folder: Path) -> None:
    """Run a job again, on from its last checkpoint.

    Raises:
        BusyError: a training is running already.
        SettingsError: its status can't be read.
    """
    with hold(folder) as lock:
        write_status(folder, replace(read_status(folder), state="queued", phase="", error="", updated=time.time()))
        launch(folder, lock, "training", "run", str(folder), "--resume")


def stop(folder: Path) -> None:
    """Ask a job's process to stop, which it does at the end of a step; the second time, end it at once."""
    job = read_job(folder)
    if job is None or not job.alive:
        return
    (folder / STOP).touch()
    with suppress(OSError, ValueError):  # it has ended by itself
        number = int((folder / LOCK).read_text(encoding="ascii"))
        os.kill(number, signal.SIGKILL if job.state == "stopping" else signal.SIGTERM)


def forget(folder: Path) -> None:
    """Remove a job that isn't going on with its rows and checkpoints, unless another process trains on those.

    A version that it made stays.
    """
    job = read_job(folder)
    with suppress(BusyError, FileNotFoundError), hold(folder, beside_others=True):
        if job is not None and job.request.work.is_dir():
            with atomic.locked(job.request.work) as free:
                if free:
                    shutil.rmtree(job.request.work, ignore_errors=True)
        shutil.rmtree(folder)


@contextmanager
def hold(folder: Path, *, beside_others: bool = False) -> Iterator[IO[str]]:
    """The lock of a job, held until the block ends and the process that got its file has ended.

    Raises BusyError where another process holds it or, but `beside_others`, trains in another folder beside it.
    """
    with (folder / LOCK).open("a+", encoding="ascii") as lock:
        with _deciding(folder.parent):
            if not beside_others:
                _refuse_second(folder)
            if not take(lock):
                raise BusyError(f"Training {folder.name} is going on already; wait for it, or stop it.")
        lock.truncate(0)
        (folder / STOP).unlink(missing_ok=True)
        yield lock


def _refuse_second(folder: Path) -> None:
    """One training takes the whole machine: it uses every core, or every GPU."""
    other = next((job for job in jobs(folder.parent) if job.alive and job.folder.name != folder.name), None)
    if other is not None:
        raise BusyError(
            f"Training {other.name} ({other.request.settings.recipe}, to make {other.request.output}) is going on, and "
            "one at a time fits on this machine; wait for it, or stop it."
        )


@contextmanager
def _deciding(root: Path) -> Iterator[None]:
    """Nobody else decides meanwhile which training may begin."""
    for _ in range(TRIES):
        with atomic.locked(root) as free:
            if free:
                yield
                return
        time.sleep(0.01)
    raise BusyError(f"Another training is being started in {root}; try again in a moment.")


def _state(folder: Path, status: Status, *, held: bool) -> str:
    if status.final:
        return status.state
    asked = (folder / STOP).exists()
    if held:
        return "stopping" if asked else status.state
    return "stopped" if asked else "crashed"
