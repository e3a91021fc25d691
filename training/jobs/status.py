"""What a training job writes about itself: a status that is replaced whole, and one line per step for the chart."""

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path

from indexing import atomic
from indexing.errors import SettingsError

METRICS = "metrics.jsonl"
FINAL = ("finished", "failed", "stopped")
STATES = ("queued", "gathering", "training", "evaluating", *FINAL)


@dataclass(frozen=True, kw_only=True)
class TrainingStatus:
    """How far a training is, as its process last wrote."""

    state: str = "queued"
    """One of STATES."""
    phase: str = ""
    """What the state consists of just now, in words."""
    done: int = 0
    """Queries or examples of this phase."""
    total: int = 0
    """0 where it is unknown."""
    step: int = 0
    """Steps of the optimizer so far."""
    steps: int = 0
    """0 while their number is unknown."""
    loss: float | None = None
    """Of the last step."""
    learning_rate: float = 0.0
    pairs_per_second: float = 0.0
    seconds_left: float | None = None
    """Of the training, without evaluations; None while that is unknown."""
    ndcg: float | None = None
    """nDCG@10 on the dev set when it was last measured; once finished, the version's."""
    best_ndcg: float | None = None
    """The best so far."""
    current: str = ""
    """Id of the version that was served when the training began."""
    current_ndcg: float | None = None
    """Its nDCG@10 on the same dev set; None where that wasn't measured."""
    memory: int = 0
    """Resident bytes of the process."""
    version: str = ""
    """Folder of the version that was made."""
    error: str = ""
    """One sentence, once it has failed."""
    started: float = 0.0
    """Seconds since 1970."""
    updated: float = 0.0
    """When this was written, likewise."""

    def __post_init__(self) -> None:
        if self.state not in STATES:
            raise SettingsError(f"A job's state is {self.state!r}; it must be one of {', '.join(STATES)}.")

    @property
    def final(self) -> bool:
        """Whether nothing more happens by itself."""
        return self.state in FINAL


@dataclass(frozen=True)
class Metric:
    """One step in the chart."""

    step: int
    loss: float | None
    """None where it was no number."""
    learning_rate: float
    ndcg: float | None = None
    """nDCG@10 on the dev set, where it was measured after this step."""


class MetricsFile:
    """Takes one line per step; where a training resumes at an earlier step, the lines from there on are dropped."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._last: int | None = None

    def add(self, metric: Metric) -> None:
        """Append a step's line, which is on disk when this returns; lines of later steps are dropped."""
        if self._last is None or metric.step <= self._last:
            earlier = [line for line in read_metrics(self._folder) if line.step < metric.step]
            atomic.write_text(self._folder / METRICS, "".join(map(_line, earlier)))
        with (self._folder / METRICS).open("a", encoding="utf-8") as file:
            file.write(_line(metric))
        self._last = metric.step


def read_metrics(folder: Path) -> list[Metric]:
    """The steps in their order, without a line that is cut short."""
    try:
        lines = (folder / METRICS).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    return [metric for line in lines if (metric := _metric(line)) is not None]


def finite(value: float | None) -> float | None:
    """The number, or None where it isn't finite: JSON has no word for infinity."""
    return value if value is not None and math.isfinite(value) else None


def _metric(line: str) -> Metric | None:
    try:
        row = json.loads(line)
        return Metric(int(row["step"]), finite(row["loss"]), float(row["learning_rate"]), finite(row.get("ndcg")))
    except (ValueError, TypeError, LookupError, AttributeError):
        return None


def _line(metric: Metric) -> str:
    return json.dumps(asdict(metric)) + "\n"
