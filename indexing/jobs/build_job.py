"""Index builds and their estimates, as jobs."""

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
from indexing.words.languages import AUTO, check_language

TASKS = ("build", "estimate")
FINAL = ("done", "failed", "stopped")
STATES = ("running", *FINAL)


@dataclass(frozen=True, kw_only=True)
class BuildRequest:
    """The index to build, or whose build to estimate."""

    name: str
    """Name of the index."""
    corpus: str
    """A path, or a name on the hub."""
    root: str = field(default_factory=lambda: str(places.indexes()))
    """The folder of all indexes."""
    task: str = "build"
    dense: str = "auto"
    bm25_preset: str = "trec-dl"
    bi_encoder: str = DEFAULT_BI_ENCODER
    language: str = AUTO
    """Of the passages: Snowball's name, `none`, or `auto` for that of most sampled passages."""
    skip_bad_lines: bool = False
    id_field: str = ""
    """Field of the ids in JSONL and Parquet; empty to detect it, and the two below, by the usual names."""
    text_field: str = ""
    title_field: str = ""

    def __post_init__(self) -> None:
        check_name(self.name)
        check_language(self.language)
        if self.task not in TASKS or self.bm25_preset not in PRESETS:
            raise SettingsError(
                f"A job has the task {self.task!r} and the BM25 preset {self.bm25_preset!r}; give one of the tasks "
                f"{', '.join(TASKS)} and one of the presets {', '.join(PRESETS)}."
            )

    def settings(self) -> BuildSettings:
        """The settings of the build."""
        k1, b = PRESETS[self.bm25_preset]
        bm25 = Bm25Settings(k1=k1, b=b)
        return BuildSettings(bi_encoder=self.bi_encoder, bm25=bm25, dense=self.dense, language=self.language)

    def fields(self) -> Fields:
        """The fields of the corpus's records."""
        return Fields(self.id_field or None, self.text_field or None, self.title_field or None)


@dataclass(frozen=True, kw_only=True)
class BuildStatus:
    """The progress of a build, as its process last wrote it."""

    state: str = "stopped"
    """One of STATES."""
    phase: str = ""
    """One of fetch, encode, ids, bm25, dense, recall; empty until the first has begun."""
    done: int = 0
    """Passages of this phase so far."""
    total: int = 0
    """Estimated passages in the corpus; 0 while unknown."""
    rate: float = 0.0
    """Recent passages per second."""
    started: float = 0.0
    """Seconds since 1970."""
    sentence: str = ""
    """The result, or what went wrong."""
    estimate: Estimate | None = None
    """The result of an estimate."""

    def __post_init__(self) -> None:
        if self.state not in STATES:
            raise SettingsError(f"A build's state is {self.state!r}; it must be one of {', '.join(STATES)}.")

    @property
    def seconds_left(self) -> float | None:
        """Remaining time of this phase; None while unknown."""
        known = self.rate > 0 and self.total >= self.done
        return (self.total - self.done) / self.rate if known else None


@dataclass(frozen=True)
class BuildJob(Job[BuildRequest, BuildStatus]):
    """A build or an estimate in a process of its own; only one runs at a time for each index."""

    PREFIX: ClassVar[str] = "build-"
    FINAL: ClassVar[tuple[str, ...]] = FINAL
    COMMAND: ClassVar[tuple[str, ...]] = ("indexing", "run")

    @staticmethod
    def read_request(folder: Path) -> BuildRequest:
        """What to build. Raises SettingsError if config.json can't be read or holds invalid values."""
        return made(BuildRequest, read_json(folder / CONFIG), str(folder / CONFIG))

    @staticmethod
    def read_status(folder: Path) -> BuildStatus:
        """The status that its process last wrote. Raises SettingsError if it can't be read."""
        return made(BuildStatus, read_json(folder / STATUS), str(folder / STATUS))

    @staticmethod
    def request_as_json(request: BuildRequest) -> dict[str, Any]:
        """The request as plain data."""
        return asdict(request)

    @staticmethod
    def queued(before: BuildStatus | None) -> BuildStatus:
        """The status of a running build, because builds have no waiting state."""
        del before
        return BuildStatus(state="running", started=time.time())

    @staticmethod
    def obstacle(request: BuildRequest, running: Sequence["BuildJob"]) -> str:
        """The sentence that another job of the same index is running; empty if there is none."""
        if any(_same_index(job.request, request) for job in running):
            return f"A job for index {request.name!r} is already running; wait for it, or stop it."
        return ""

    @classmethod
    def start(cls, request: BuildRequest, folder: Path, *, fill: Callable[[Path], object] = lambda _: None) -> Self:
        """Start a job as `Job.start` does, and forget the ended jobs of the same index."""
        earlier = [job for job in cls.all(folder.parent) if _same_index(job.request, request)]
        started = super().start(request, folder, fill=fill)
        for job in earlier:
            job.forget()
        return started


def _same_index(request: BuildRequest, other: BuildRequest) -> bool:
    return (request.name, request.root) == (other.name, other.root)
