"""forecast: estimate what the training of a job's folder would take, before it begins."""

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING

from indexing.cli.shell import Commands
from indexing.progress import PhaseProgress

if TYPE_CHECKING:
    from training.train.forecast import Forecast

PRINTED_EVERY = 0.5  # seconds


def add(commands: Commands) -> None:
    """Add the command."""
    command = commands.add_parser(
        "forecast", help="say what the training of a job's folder would take, without doing it"
    )
    command.add_argument(
        "folder", metavar="JOB_DIR", type=Path, help="a folder with config.json; takes forecast.json too"
    )
    command.set_defaults(run=_forecast)


class PhaseLines:
    """Prints the progress of each phase when it begins and at most twice a second; the page shows the last line."""

    def __init__(self) -> None:
        self._progress, self._printed = PhaseProgress(), 0.0

    def __call__(self, phase: str, count: int, total: int) -> None:
        """Count queries or examples of a phase."""
        begins = phase != self._progress.phase
        self._progress = self._progress.add(phase, count, total)
        if begins or time.monotonic() - self._printed >= PRINTED_EVERY:
            self._printed = time.monotonic()
            of = f" of {total:,}" if total else ""
            print(f"{phase}: {self._progress.count:,}{of}" if self._progress.count else phase, flush=True)


def _forecast(options: argparse.Namespace) -> int:
    from training.jobs.forecast import forecast_job

    forecast = forecast_job(options.folder, progress=PhaseLines())
    for name, value in _figures(forecast).items():
        print(f"{name}: {value}")
    return 0


def _figures(forecast: "Forecast") -> dict[str, str]:
    counts, timed = forecast.counts, "training" in forecast.seconds
    sources = ", ".join(f"{count:,} of {source}" for source, count in counts.examples.items())
    passes = "unknown" if forecast.passes is None else f"{forecast.passes:,.1f}"
    gigabytes = f"{forecast.memory / 1e9:.2f} GB, {forecast.free / 1e9:.2f} GB are free"
    return {
        "Looked at": f"{counts.rows:,} rows with {counts.pairs:,} (query, passage) pairs, from {sources}",
        "Steps": f"{forecast.steps:,}" if timed else "unknown",
        "Pairs": f"{forecast.pairs:,}" if timed else "unknown",
        "Passes": passes if timed else "unknown",
        "Seconds": ", ".join(f"{what} {seconds:,.1f}" for what, seconds in forecast.seconds.items()),
        "Memory": gigabytes if timed else f"{gigabytes}, so no step was timed",
    }
