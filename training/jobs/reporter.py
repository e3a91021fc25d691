"""Writes the progress of a training: its status twice a second, every step for the chart, and some of its rows."""

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from indexing import atomic
from indexing.errors import SettingsError
from indexing.jobs.folder import STATUS, StatusWriter
from indexing.progress import PhaseProgress
from indexing.typed_json import made
from training.fitting.callback import TrainingStep
from training.fitting.fit import ROWS
from training.jobs.jobs import TrainingJob
from training.jobs.status import Metric, MetricsFile, TrainingStatus, finite
from training.recipes.row_counts import RowCounts
from training.recipes.row_files import preview
from training.train.passes import passes_of
from training.train.request import TrainRequest

PREVIEW = "preview.json"
PRINTED_EVERY = 10.0  # seconds

PrintLine = Callable[[str], None]
"""Prints a line of the log."""


class TrainingReporter(StatusWriter[TrainingStatus]):
    """Writes a training's status when a state or phase begins and twice a second, and each step for the chart."""

    def __init__(self, folder: Path, *, print_line: PrintLine, clock: Callable[[], float] = time.monotonic) -> None:
        known = (folder / STATUS).exists()  # missing in a folder that was made by hand
        status = TrainingJob.read_status(folder) if known else TrainingStatus(started=time.time())
        super().__init__(folder, status, clock=clock)
        self._print = print_line
        self._metrics = MetricsFile(folder)
        self._printed = clock()

    def enter(self, state: str, phase: str = "", **more: Any) -> None:
        """Begin a state or phase, and set further fields of the status."""
        begun = time.time()
        self.status = replace(self.status, state=state, phase=phase, done=0, total=0, phase_started=begun, **more)
        self._print(f"{state}: {phase}" if phase else state)
        self.write()

    def progress(self, phase: str, count: int, total: int) -> None:
        """Count queries or examples of a phase of the current state."""
        if phase != self.status.phase:
            self.enter(self.status.state, phase)
        counted = PhaseProgress(phase, self.status.done, self.status.total or total).add(phase, count, total)
        self.status = replace(self.status, done=counted.count, total=total)
        self.write_if_due()

    def step(self, report: TrainingStep) -> None:
        """Record a step; its number continues the count of the passes before."""
        before = report.steps_before
        loss = finite(report.loss)
        self._metrics.add(Metric(before + report.step, loss, report.learning_rate, report.ndcg))
        self.status = replace(
            self.status,
            state="training",
            phase=f"pass {report.pass_number} of {report.passes}" if report.passes > 1 else "",
            done=0,
            total=0,
            step=before + report.step,
            steps=before + report.steps,
            loss=loss,
            learning_rate=report.learning_rate,
            pairs_per_second=report.pairs_per_second,
            seconds_left=report.seconds_left,
            ndcg=self.status.ndcg if report.ndcg is None else report.ndcg,
            best_ndcg=self.status.best_ndcg if report.best_ndcg is None else report.best_ndcg,
        )
        if self.clock() - self._printed >= PRINTED_EVERY or report.step == report.steps:
            self._printed = self.clock()
            self._print(f"step {self.status.step} of {self.status.steps}, loss {loss}")
        self.write_if_due()

    def write(self) -> None:
        """Write the status, with the memory in use and the time, to disk now."""
        self.status = replace(self.status, memory=resident(), updated=time.time())
        super().write()


def resident() -> int:
    """Bytes of memory that this process uses; its peak use if the system doesn't report the current one."""
    with suppress(OSError, ValueError, IndexError):
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def read_preview(folder: Path) -> tuple[list[dict[str, Any]], RowCounts] | None:
    """Some rows of a job and the counts of all of them; None until they are gathered."""
    try:
        values = json.loads((folder / PREVIEW).read_text(encoding="utf-8"))
        rows, counts = values["rows"], made(RowCounts, values["counts"], PREVIEW)
        return (rows, counts) if rows and all(isinstance(row, dict) for row in rows) else None
    except (SettingsError, OSError, ValueError, TypeError, LookupError, RecursionError):
        return None


def write_preview(folder: Path, request: TrainRequest, counts: RowCounts) -> None:
    """Write some of the gathered rows, and the counts of all of them, to a job's folder."""
    rows = preview(passes_of(request)[0].folder / ROWS)
    atomic.write_json(folder / PREVIEW, {"rows": rows, "counts": asdict(counts)})
