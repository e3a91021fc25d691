"""Folders of jobs as they are while they run; whoever holds such a folder stands in for its process."""

from pathlib import Path

from indexing import atomic
from indexing.jobs.build_job import BuildJob, BuildRequest, BuildStatus
from indexing.jobs.folder import write_status
from training.data.settings import DataSettings
from training.jobs.jobs import TrainingJob
from training.jobs.status import TrainingStatus
from training.source import Source
from training.train.request import TrainRequest

IN_TRAINING = TrainingStatus(state="training", step=40, steps=80, seconds_left=150.0)
IN_BUILDING = BuildStatus(state="running", phase="encode", done=300, total=900, rate=10.0)


def lay_training(home: Path, *, number: int = 1, status: TrainingStatus = IN_TRAINING) -> Path:
    """The folder `training-NUMBER` of a training of mine/NUMBER in this home, with `small` as its only data."""
    folder = home / f"jobs/{TrainingJob.PREFIX}{number}"
    folder.mkdir(parents=True)
    data = DataSettings(sources=(Source("index", "small"),))
    request = TrainRequest(output=home / f"models/mine/{number}", recipe="listnet", data=data)
    atomic.write_json(folder / "config.json", request.as_json())
    write_status(folder, status)
    return folder


def lay_build(home: Path, name: str, *, status: BuildStatus = IN_BUILDING) -> Path:
    """The folder `build-NAME` of a build of the index of this name in this home."""
    folder = home / f"jobs/{BuildJob.PREFIX}{name}"
    folder.mkdir(parents=True)
    request = BuildRequest(name=name, corpus="here", root=str(home / "indexes"))
    atomic.write_json(folder / "config.json", BuildJob.request_as_json(request))
    write_status(folder, status)
    return folder
