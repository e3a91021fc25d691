"""The folder of a training while it runs: its lock, its request, and the time it has taken."""

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
from training.fitting.fit import ROWS

ASKED = "asked.json"


def work_folder(output: Path) -> Path:
    """Where the rows and checkpoints of a version to be lie."""
    return output.with_name(f".{output.name}.training")


def check_free(output: Path, *, resume: bool) -> None:
    """Raise as `hold` would; the folder to work in is made."""
    with hold(output, resume=resume):
        pass


@contextmanager
def hold(output: Path, *, resume: bool) -> Iterator[Path]:
    """The folder to work in, made, and held against other trainings of the version until the block or the process ends.

    Raises:
        BusyError: another process trains the version.
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
            yield work
        except BaseException:
            if not any(work.rglob(ROWS)):  # there is nothing to go on with, as where the data were wrong
                shutil.rmtree(work)
            raise


def keep_asked(folder: Path, asked: Mapping[str, Any]) -> None:
    """Note in a folder what rows are gathered from; refuse to go on there with those of other data.

    Raises:
        TrainingError: something differs from what was noted, such as the files of protected queries.
    """
    path = folder / ASKED
    values = json.loads(json.dumps(asked))
    before = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else values
    changed = sorted(name for name in values if before.get(name) != values[name])
    if changed:
        name = changed[0]
        raise TrainingError(
            f"The training in {folder} began with {name} {before.get(name)!r}, now it is {values[name]!r}; resume with "
            "the same, or delete it."
        )
    atomic.write_json(path, values)


NOTE = "minutes.json"
EVERY = 30.0  # seconds between two notes: a process that is stopped or killed loses no more
Told = ParamSpec("Told")


class Spent:
    """The time of this process, and of those that worked in the same folder before it."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / NOTE
        self._before = float(json.loads(self._path.read_text(encoding="utf-8"))) if self._path.is_file() else 0.0
        self._begun = self._noted = time.monotonic()

    @property
    def minutes(self) -> float:
        """Of all of them, until now."""
        return self._before + (time.monotonic() - self._begun) / 60

    def beside(self, tell: Callable[Told, None]) -> Callable[Told, None]:
        """What does as `tell` does, and notes the time now and then."""

        def both(*args: Told.args, **named: Told.kwargs) -> None:
            if time.monotonic() - self._noted >= EVERY:
                self._noted = time.monotonic()
                atomic.write_json(self._path, self.minutes)
            tell(*args, **named)

        return both
