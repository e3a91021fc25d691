"""Index builds that outlive the page which started them: all that is known of one is in its folder.

data/jobs/<id>/config.json   what is to be built
               status.json   how far it is, replaced whole
               log.txt       what its process said
               lock          held while its process lives, however that ends; holds the process's id
               stop          is there once the process was asked to stop
"""

import json
import secrets
import shutil
import signal
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from indexing import atomic, places
from indexing.bm25.settings import PRESETS, Bm25Settings
from indexing.building.estimate import Estimate
from indexing.building.settings import BuildSettings
from indexing.corpus.fields import Fields
from indexing.errors import BusyError, SettingsError
from indexing.jobs import folder as job_folder
from indexing.jobs.folder import hold, signal_holder
from indexing.names import DEFAULT_BI_ENCODER, check_name

TASKS = ("build", "estimate")
CONFIG, STATUS, STOP = "config.json", "status.json", "stop"


@dataclass(frozen=True)
class BuildConfig:
    """What is to be built, or estimated."""

    name: str
    """Of the index."""
    corpus: str
    """A path, or a name on the hub."""
    root: str = field(default_factory=lambda: str(places.indexes()))
    """The folder of all indexes."""
    task: str = "build"
    dense: str = "auto"
    bm25_preset: str = "trec-dl"
    bi_encoder: str = DEFAULT_BI_ENCODER
    skip_bad_lines: bool = False
    id_field: str = ""
    """Of JSONL and Parquet; empty where it is to be found by the usual names."""
    text_field: str = ""
    title_field: str = ""

    def __post_init__(self) -> None:
        check_name(self.name)
        if self.task not in TASKS or self.bm25_preset not in PRESETS:
            raise SettingsError(
                f"A job has the task {self.task!r} and BM25 preset {self.bm25_preset!r}; give a task of "
                f"{', '.join(TASKS)} and a preset of {', '.join(PRESETS)}."
            )

    def settings(self) -> BuildSettings:
        """As the build takes them."""
        k1, b = PRESETS[self.bm25_preset]
        return BuildSettings(bi_encoder=self.bi_encoder, bm25=Bm25Settings(k1=k1, b=b), dense=self.dense)

    def fields(self) -> Fields:
        """As a corpus takes them."""
        return Fields(self.id_field or None, self.text_field or None, self.title_field or None)


@dataclass(frozen=True)
class Status:
    """How far a job is."""

    state: str = "stopped"
    """`running`, `done`, `failed` or `stopped`, as the process itself last said."""
    phase: str = ""
    """Of the build: fetch, encode, ids, bm25, dense, recall; empty until the first has begun."""
    done: int = 0
    """Passages of this phase."""
    total: int = 0
    """Passages that the corpus seems to hold; 0 while that isn't known."""
    rate: float = 0.0
    """Passages a second, lately."""
    started: float = 0.0
    """Seconds since 1970."""
    sentence: str = ""
    """What came of it, or what went wrong."""
    estimate: Estimate | None = None
    """What came of an estimate."""

    @property
    def seconds_left(self) -> float | None:
        """Of this phase; None where it can't be told."""
        known = self.rate > 0 and self.total >= self.done
        return (self.total - self.done) / self.rate if known else None


@dataclass(frozen=True)
class Job:
    """A job as it was when it was looked at."""

    folder: Path
    config: BuildConfig
    status: Status
    state: str
    """`running`, `stopping`, `done`, `failed`, `stopped`, or `crashed`: it ended without a word."""

    @property
    def alive(self) -> bool:
        """Whether its process lives."""
        return self.state in ("running", "stopping")


def jobs(root: Path | None = None) -> list[Job]:
    """Every build and estimate, the newest first."""
    folders = sorted((root or places.jobs()).glob("build-*"), reverse=True)
    return [job for folder in folders if (job := read_job(folder)) is not None]


def read_job(folder: Path) -> Job | None:
    """The job of a folder; None where it holds none that can be read."""
    held = job_folder.is_held(folder)  # first: whoever lets go of the lock has written how it ended
    try:
        config = BuildConfig(**json.loads((folder / CONFIG).read_text(encoding="utf-8")))
        values = json.loads((folder / STATUS).read_text(encoding="utf-8"))
        found = Estimate(**values["estimate"]) if values["estimate"] else None
        status = Status(**{**values, "estimate": found})
    except (OSError, ValueError, TypeError, KeyError, SettingsError):
        return None
    return Job(folder, config, status, _state(folder, status, held=held))


def start(config: BuildConfig, *, root: Path | None = None) -> Path:
    """Begin a job in a process of its own; give back its folder. What ended before of the same index is forgotten.

    Raises BusyError while a job of the same index is running.
    """
    root = root or places.jobs()
    earlier = [job for job in jobs(root) if (job.config.name, job.config.root) == (config.name, config.root)]
    if any(job.alive for job in earlier):
        raise BusyError(f"A job of index {config.name!r} is going on already; wait for it, or stop it.")
    folder = root / f"build-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}-{secrets.token_hex(2)}"
    with atomic.folder(folder) as work:
        atomic.write_json(work / CONFIG, asdict(config))
        write_status(work, Status())
    for job in earlier:
        forget(job.folder)
    launch(folder)
    return folder


def launch(folder: Path) -> None:
    """Run the job of a folder, for the first time or again. Raises BusyError where it is running."""
    with hold(folder) as lock:
        (folder / STOP).unlink(missing_ok=True)
        write_status(folder, Status("running", started=time.time()))
        job_folder.launch(folder, lock, "indexing.jobs.build_process", str(folder))


def stop(folder: Path) -> None:
    """Ask a job's process and its children to end, which keeps finished shards; the second time, end them at once."""
    job = read_job(folder)
    if job is not None and job.alive:
        (folder / STOP).touch()
        signal_holder(folder, signal.SIGKILL if job.state == "stopping" else signal.SIGTERM)


def forget(folder: Path) -> None:
    """Remove a job that isn't going on; the index that it built stays."""
    with suppress(BusyError, FileNotFoundError), hold(folder):
        shutil.rmtree(folder)


def write_status(folder: Path, status: Status) -> None:
    """Replace a job's status in one step."""
    atomic.write_json(folder / STATUS, asdict(status))


def _state(folder: Path, status: Status, *, held: bool) -> str:
    if status.state != "running":
        return status.state
    asked = (folder / STOP).exists()
    if held:
        return "stopping" if asked else "running"
    return "stopped" if asked else "crashed"
