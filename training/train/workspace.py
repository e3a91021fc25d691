"""The work folder of a training: its lock, the record of what its rows were gathered from, and the time spent."""

import json
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ParamSpec

from indexing import atomic
from indexing.atomic import check_new
from indexing.errors import TrainingError
from indexing.notes import Note, log_note
from training.fitting.fit import ROWS
from training.train.request import work_folder

ORIGIN = "asked.json"
MINUTES = "minutes.json"
MOST_MINUTES = 1e7  # 19 years
EVERY = 30.0  # seconds between two records of the time; a killed process loses no more than this
Arguments = ParamSpec("Arguments")


class Workspace:
    """The folder of one training, and the time that this process and earlier ones have spent on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._before = _read_minutes(folder / MINUTES)
        self._begun = self._noted = time.monotonic()

    @property
    def minutes(self) -> float:
        """Minutes spent so far, earlier processes included."""
        return self._before + (time.monotonic() - self._begun) / 60

    def timed(self, callback: Callable[Arguments, None]) -> Callable[Arguments, None]:
        """Wrap a callback so that it also records the time spent, every EVERY seconds."""

        def noting(*args: Arguments.args, **named: Arguments.kwargs) -> None:
            if time.monotonic() - self._noted >= EVERY:
                self._noted = time.monotonic()
                atomic.write_json(self.folder / MINUTES, self.minutes)
            callback(*args, **named)

        return noting


@contextmanager
def hold_workspace(output: Path, *, resume: bool) -> Iterator[Workspace]:
    """Make the work folder and lock it against other trainings of the version until the block or the process ends.

    Raises:
        BusyError: another process is training the version.
        TrainingError: the version exists, or a training of it was stopped and `resume` isn't given.
    """
    check_new(output)
    work = work_folder(output)
    known = work.exists()
    work.mkdir(parents=True, exist_ok=True)
    with atomic.hold(work, f"trains {output}, in {work}"):
        if known and not resume:
            raise TrainingError(f"A training of {output} was stopped and lies in {work}; give --resume, or delete it.")
        try:
            yield Workspace(work)
        except BaseException:
            if not any(work.rglob(ROWS)):  # nothing to resume, for instance because the data were wrong
                shutil.rmtree(work)
            raise


def _read_minutes(path: Path, *, note: Note = log_note) -> float:
    """Minutes that earlier processes spent; 0 where that can't be known, which `note` is told."""
    try:
        minutes = float(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else 0.0
        if 0 <= minutes < MOST_MINUTES:
            return minutes
    except (OSError, ValueError, TypeError, RecursionError, OverflowError):
        pass
    note(f"{path} is damaged, so the time that was spent before isn't counted.")
    return 0.0


def _read_origin(path: Path, folder: Path) -> Mapping[str, Any]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(values, dict):
            return values
    except (OSError, ValueError, RecursionError):
        pass
    raise TrainingError(
        f"{path} is damaged, so nobody can tell what the training learns from; delete {folder} and train anew."
    )


def check_origin(folder: Path, origin: Mapping[str, Any]) -> None:
    """Record in a folder what its rows are gathered from; refuse to continue there with rows of other data.

    Raises:
        TrainingError: something differs from the record, such as the files of protected queries.
    """
    path = folder / ORIGIN
    values = json.loads(json.dumps(origin))
    before = _read_origin(path, folder) if path.is_file() else values
    changed = sorted(name for name in {*before, *values} if before.get(name) != values.get(name))
    if changed:
        name = changed[0]
        raise TrainingError(
            f"The training in {folder} began with {name} {before.get(name)!r}, now it is {values.get(name)!r}; resume "
            "with the same, or delete it."
        )
    atomic.write_json(path, values)
