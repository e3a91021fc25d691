"""Trainings as jobs.

In addition to the files of every job (indexing/jobs/folder.py), the folder of a training holds
metrics.jsonl   one line per step
preview.json    some of the training rows, and the number of rows and of queries left out
"""

import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

from indexing import atomic, places
from indexing.jobs.folder import CONFIG, STATUS, Job, read_json
from indexing.jobs.needs import Needs
from indexing.typed_json import made
from training.jobs.status import FINAL, TrainingStatus, check_figures
from training.train.request import TrainRequest


@dataclass(frozen=True)
class TrainingJob(Job[TrainRequest, TrainingStatus]):
    """A training in a process of its own; only one runs at a time, because it uses every core or every GPU."""

    PREFIX: ClassVar[str] = "training-"
    FINAL: ClassVar[tuple[str, ...]] = FINAL
    COMMAND: ClassVar[tuple[str, ...]] = ("training", "run")
    RESUME: ClassVar[tuple[str, ...]] = ("--resume",)
    STOPS_CHILDREN: ClassVar[bool] = False  # it stops at the end of a step, and needs them until then

    @property
    def can_resume(self) -> bool:
        """Whether it ended before it produced a version."""
        return not self.alive and self.state != "finished"

    @staticmethod
    def read_request(folder: Path) -> TrainRequest:
        """What to train. Raises SettingsError if config.json can't be read or holds invalid values."""
        return TrainRequest.from_json(read_json(folder / CONFIG), place=str(folder / CONFIG))

    @staticmethod
    def read_status(folder: Path) -> TrainingStatus:
        """The status that its process last wrote. Raises SettingsError if it can't be read."""
        status = made(TrainingStatus, read_json(folder / STATUS), str(folder / STATUS))
        check_figures(status, str(folder / STATUS))
        return status

    @staticmethod
    def request_as_json(request: TrainRequest) -> dict[str, Any]:
        """The request as plain data."""
        return request.as_json()

    @staticmethod
    def needs(request: TrainRequest) -> Needs:
        """The indexes that it learns from and is measured on."""
        names = dict.fromkeys([*request.indexes(), *([request.dev.index] if request.dev else [])])
        return Needs(
            title=f"the training of {'/'.join(request.output.parts[-2:])}",
            indexes=tuple(str((request.root / name).absolute()) for name in names),
        )

    @staticmethod
    def queued(before: TrainingStatus | None) -> TrainingStatus:
        """The status of a training whose process hasn't loaded yet; one that ran before keeps its figures."""
        if before is None:
            return TrainingStatus(started=time.time(), updated=time.time())
        return replace(before, state="queued", phase="", error="", updated=time.time())

    @staticmethod
    def obstacle(request: TrainRequest, running: Sequence["TrainingJob"]) -> str:
        """The sentence that names another running training; empty if there is none."""
        del request
        return next(
            (
                f"Training {job.name} ({job.request.recipe}, to make {job.request.output}) is running, and only "
                "one can run at a time; wait for it, or stop it."
                for job in running
            ),
            "",
        )

    def remove_work(self) -> None:
        """Remove rows and checkpoints, unless another process is training on them."""
        if self.request.work.is_dir():
            with atomic.locked(self.request.work) as free:
                if free:
                    shutil.rmtree(self.request.work, ignore_errors=True)


def next_output(name: str, *, models: Path | None = None, root: Path | None = None) -> Path:
    """The folder of the first version of this name that neither exists nor is the output of a job."""
    requested = {job.request.output.absolute() for job in TrainingJob.all(root)}
    folder, number = (models or places.models()) / name, 1
    while (output := folder / str(number)).absolute() in requested or output.exists():
        number += 1
    return output
