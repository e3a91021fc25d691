"""A forecast in a process of its own: what it times isn't slowed by others' threads, and its memory goes with it."""

import json
import logging
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path

from indexing import atomic
from indexing.errors import TrainingError
from indexing.jobs.folder import CONFIG, NICENESS, environment
from indexing.progress import Progress, silent
from training.jobs.jobs import TrainingJob
from training.recipes.row_counts import RowCounts
from training.train.forecast import Forecast
from training.train.request import TrainRequest

RESULT, SAID, ERRORS = "forecast.json", "said.txt", "errors.txt"
LOOK = 0.2  # seconds between two looks at the process
REFUSED = 2  # exit status of a command that a user's error ended
log = logging.getLogger(__name__)


def forecast_apart(request: TrainRequest, folder: Path, *, told: Callable[[str], None]) -> Forecast:
    """As `forecast.forecast`; `told` gets the last line that the process said, several times a second.

    `folder` takes the files that this needs. Where `told` raises, the process is ended.

    Raises:
        TrainingError: as the process says, or where it ends without a word.
    """
    atomic.write_json(folder / CONFIG, request.as_json())
    command = [sys.executable, "-m", "training", "forecast", str(folder)]
    with (folder / SAID).open("wb") as said, (folder / ERRORS).open("wb") as errors:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=errors, env=environment())
    with process:
        try:
            with suppress(PermissionError):  # it is as nice already
                os.setpriority(os.PRIO_PROCESS, process.pid, NICENESS)
            while process.poll() is None:
                told(_last_line(folder / SAID))
                time.sleep(LOOK)
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        raise TrainingError(_reason(process.returncode, folder))
    return read_forecast(folder)


def forecast_job(folder: Path, *, progress: Progress = silent) -> Forecast:
    """Forecast the training of a job's folder and keep what is found there; its own rows and lock are left alone.

    Raises:
        SecondLookError: as the training itself would.
    """
    from training.train.estimate import forecast

    request = TrainingJob.read_request(folder)
    with tempfile.TemporaryDirectory(prefix=".forecast-", dir=folder) as work:
        found = forecast(replace(request, output=Path(work) / "version"), progress=progress)
    atomic.write_json(folder / RESULT, asdict(found))
    return found


def read_forecast(folder: Path) -> Forecast:
    """What `forecast_job` kept."""
    values = json.loads((folder / RESULT).read_text(encoding="utf-8"))
    return Forecast(**{**values, "counts": RowCounts(**values["counts"])})


def _reason(status: int, folder: Path) -> str:
    """Why there is no forecast, in one sentence."""
    last = _last_line(folder / ERRORS)
    if status == REFUSED and last:
        return last
    if status < 0:
        return (
            f"The process that forecasts was ended by {signal.Signals(-status).name}, perhaps for lack of memory; "
            "choose fewer rows in memory at once, or a smaller model."
        )
    log.error("A forecast failed:\n%s", (folder / ERRORS).read_text(encoding="utf-8", errors="replace"))
    return f"The forecast ended with a fault of the program ({last[:160]}); the server's log has the rest."


def _last_line(path: Path) -> str:
    lines = path.read_text(encoding="utf-8", errors="replace").rstrip().splitlines()
    return lines[-1] if lines else ""
