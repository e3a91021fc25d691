"""What a training job writes about its progress: a status replaced as a whole, and a line per step for the chart."""

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path

from indexing import atomic
from indexing.disk import disk_errors
from indexing.errors import SettingsError

METRICS = "metrics.jsonl"
FINAL = ("finished", "failed", "stopped")
STATES = ("queued", "gathering", "training", "evaluating", *FINAL)


@dataclass(frozen=True, kw_only=True)
class TrainingStatus:
    """The progress of a training, as its process last wrote it."""

    state: str = "queued"
    """One of STATES."""
    phase: str = ""
    """The current part of the state, in words."""
    done: int = 0
    """Queries or examples of this phase so far."""
    total: int = 0
    """Queries or examples of this phase in all; 0 if unknown."""
    step: int = 0
    """Optimizer steps so far."""
    steps: int = 0
    """Optimizer steps in all; 0 while unknown."""
    loss: float | None = None
    """Loss of the last step."""
    learning_rate: float = 0.0
    pairs_per_second: float = 0.0
    seconds_left: float | None = None
    """Remaining time of the training, without evaluations; None while unknown."""
    ndcg: float | None = None
    """nDCG@10 on the dev set when last measured; once finished, that of the version."""
    best_ndcg: float | None = None
    """Best nDCG@10 so far."""
    current: str = ""
    """Id of the version that was served when the training began."""
    current_ndcg: float | None = None
    """Its nDCG@10 on the same dev set; None if not measured."""
    memory: int = 0
    """Resident bytes of the process."""
    version: str = ""
    """Folder of the new version; empty until it exists."""
    error: str = ""
    """Why the training failed, in one sentence; empty unless it has."""
    started: float = 0.0
    """Seconds since 1970."""
    updated: float = 0.0
    """Time of writing, in seconds since 1970."""
    phase_started: float = 0.0
    """When this phase began, in seconds since 1970; 0 if that wasn't recorded."""

    def __post_init__(self) -> None:
        if self.state not in STATES:
            raise SettingsError(f"A job's state is {self.state!r}; it must be one of {', '.join(STATES)}.")

    @property
    def final(self) -> bool:
        """Whether the job has ended."""
        return self.state in FINAL

    @property
    def left_of_phase(self) -> float | None:
        """Remaining seconds of what this phase counts, at its speed so far; None where it counts nothing."""
        elapsed = self.updated - self.phase_started
        if not (self.phase_started and 0 < self.done <= self.total and elapsed > 0):
            return None
        return (self.total - self.done) * elapsed / self.done


MOST_FIGURE = 1e15  # of a status, such as bytes of memory
MOST_OF_ALL = float("inf")
LAST_SECOND = 253_402_300_799.0  # of the year 9999
LOSSES = ("loss", "learning_rate")  # which may have any sign and size


def check_figures(status: TrainingStatus, place: str) -> None:
    """Raise SettingsError, which names the place, for a figure that no training can have."""
    for name, value in asdict(status).items():
        if isinstance(value, int | float) and not (
            abs(value) < MOST_OF_ALL if name in LOSSES else 0 <= value < MOST_FIGURE
        ):
            raise SettingsError(f"{place} {name} is {str(value)[:40]}, which no training has; delete the job.")
    for name in ("started", "updated", "phase_started"):
        if getattr(status, name) > LAST_SECOND:
            raise SettingsError(f"{place} {name} is {getattr(status, name):g}, which is no time; delete the job.")


@dataclass(frozen=True)
class Metric:
    """One step in the chart."""

    step: int
    loss: float | None
    """None if it wasn't finite."""
    learning_rate: float
    ndcg: float | None = None
    """nDCG@10 on the dev set after this step; None if not measured."""


class MetricsFile:
    """Stores one line per step; if a training resumes at an earlier step, the lines from that step on are dropped."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._last: int | None = None

    def add(self, metric: Metric) -> None:
        """Append a step's line, which is in the file when this returns; lines of that step and later are dropped."""
        if self._last is None or metric.step <= self._last:
            earlier = [line for line in read_metrics(self._folder) if line.step < metric.step]
            atomic.write_text(self._folder / METRICS, "".join(map(_line, earlier)))
        path = self._folder / METRICS
        with disk_errors(path), path.open("a", encoding="utf-8") as file:
            file.write(_line(metric))
        self._last = metric.step


def read_metrics(folder: Path) -> list[Metric]:
    """The steps in order, without lines that were cut short."""
    try:
        lines = (folder / METRICS).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    return [metric for line in lines if (metric := _metric(line)) is not None]


def finite(value: float | None) -> float | None:
    """The number, or None if it isn't finite, because JSON has no infinity."""
    return value if value is not None and math.isfinite(value) else None


def _metric(line: str) -> Metric | None:
    try:
        row = json.loads(line)
        return Metric(int(row["step"]), finite(row["loss"]), float(row["learning_rate"]), finite(row.get("ndcg")))
    except (ArithmeticError, ValueError, TypeError, LookupError, AttributeError, RecursionError):
        return None


def _line(metric: Metric) -> str:
    return json.dumps(asdict(metric)) + "\n"
