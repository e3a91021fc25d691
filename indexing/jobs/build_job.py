"""Index builds, and their estimates, as jobs."""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Self

from indexing import places
from indexing.bm25.settings import PRESETS, Bm25Settings
from indexing.building.figures import Estimate
from indexing.building.settings import BuildSettings
from indexing.corpus.fields import Fields
from indexing.errors import SettingsError
from indexing.jobs.folder import CONFIG, STATUS, Job, read_json
from indexing.names import DEFAULT_BI_ENCODER, check_name
from indexing.typed_json import made

TASKS = ("build", "estimate")
FINAL = ("done", "failed", "stopped")
STATES = ("running", *FINAL)


@dataclass(frozen=True, kw_only=True)
class BuildRequest:
    """What to build, or to estimate."""

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
    """Of JSONL and Parquet; empty where it is found by the usual names."""
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
        """The settings of the build."""
        k1, b = PRESETS[self.bm25_preset]
        return BuildSettings(bi_encoder=self.bi_encoder, bm25=Bm25Settings(k1=k1, b=b), dense=self.dense)

    def fields(self) -> Fields:
        """The fields of the corpus's records."""
        return Fields(self.id_field or None, self.text_field or None, self.title_field or None)


@dataclass(frozen=True, kw_only=True)
class BuildStatus:
    """How far a build is, as its process last wrote."""

    state: str = "stopped"
    """One of STATES."""
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

    def __post_init__(self) -> None:
        if self.state not in STATES:
            raise SettingsError(f"A build's state is {self.state!r}; it must be one of {', '.join(STATES)}.")

    @property
    def seconds_left(self) -> float | None:
        """Of this phase; None while that is unknown."""
        known = self.rate > 0 and self.total >= self.done
        return (self.total - self.done) / self.rate if known else None


@dataclass(frozen=True)
class BuildJob(Job[BuildRequest, BuildStatus]):
    """A build, or an estimate, in a process of its own; one at a time for each index."""

    PREFIX: ClassVar[str] = "build-"
    FINAL: ClassVar[tuple[str, ...]] = FINAL
    COMMAND: ClassVar[tuple[str, ...]] = ("indexing", "run")

    @staticmethod
    def read_request(folder: Path) -> BuildRequest:
        """What to build. Raises SettingsError where config.json can't be read or holds what can't be."""
        return made(BuildRequest, read_json(folder / CONFIG), str(folder / CONFIG))

    @staticmethod
    def read_status(folder: Path) -> BuildStatus:
        """What its process last wrote. Raises SettingsError where that can't be read."""
        return made(BuildStatus, read_json(folder / STATUS), str(folder / STATUS))

    @staticmethod
    def request_as_json(request: BuildRequest) -> dict[str, Any]:
        """The request as plain data."""
        return asdict(request)

    @staticmethod
    def queued(before: BuildStatus | None) -> BuildStatus:
        """A build that runs: it has no state of waiting."""
        del before
        return BuildStatus(state="running", started=time.time())

    @staticmethod
    def obstacle(request: BuildRequest, running: Sequence["BuildJob"]) -> str:
        """One job at a time works on an index."""
        if any(_same_index(job.request, request) for job in running):
            return f"A job of index {request.name!r} is already running; wait for it, or stop it."
        return ""

    @classmethod
    def start(cls, request: BuildRequest, folder: Path, *, fill: Callable[[Path], object] = lambda _: None) -> Self:
        """Begin a job as Job does, and forget those of the same index that have ended."""
        earlier = [job for job in cls.all(folder.parent) if _same_index(job.request, request)]
        begun = super().start(request, folder, fill=fill)
        for job in earlier:
            job.forget()
        return begun


def _same_index(one: BuildRequest, other: BuildRequest) -> bool:
    return (one.name, one.root) == (other.name, other.root)
