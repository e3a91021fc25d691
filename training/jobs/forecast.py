"""A forecast in a process of its own: other threads don't distort its timing, and its memory is freed at the end."""

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

RESULT, OUTPUT, ERRORS = "forecast.json", "output.txt", "errors.txt"
POLL_INTERVAL = 0.2  # seconds between two checks on the process
REFUSED = 2  # exit status of a command that ended with a user's error
log = logging.getLogger(__name__)


def forecast_apart(request: TrainRequest, folder: Path, *, on_output: Callable[[str], None]) -> Forecast:
    """`forecast.forecast` in a process of its own; `on_output` gets its last line of output several times a second.

    The files that this needs go into `folder`. If `on_output` raises, the process is killed.

    Raises:
        TrainingError: the process failed, with its own message if it wrote one.
    """
    atomic.write_json(folder / CONFIG, request.as_json())
    command = [sys.executable, "-m", "training", "forecast", str(folder)]
    with (folder / OUTPUT).open("wb") as output, (folder / ERRORS).open("wb") as errors:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=errors, env=environment())
    with process:
        try:
            with suppress(PermissionError):  # its priority is that low already
                os.setpriority(os.PRIO_PROCESS, process.pid, NICENESS)
            while process.poll() is None:
                on_output(_last_line(folder / OUTPUT))
                time.sleep(POLL_INTERVAL)
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        raise TrainingError(_reason(process.returncode, folder))
    return read_forecast(folder)


def forecast_job(folder: Path, *, progress: Progress = silent) -> Forecast:
    """Forecast the training of a job's folder and store the result there; the job's own rows and lock aren't touched.

    Raises:
        SecondLookError: the training itself would raise it.
    """
    from training.train.estimate import forecast

    request = TrainingJob.read_request(folder)
    with tempfile.TemporaryDirectory(prefix=".forecast-", dir=folder) as work:
        result = forecast(replace(request, output=Path(work) / "version"), progress=progress)
    atomic.write_json(folder / RESULT, asdict(result))
    return result


def read_forecast(folder: Path) -> Forecast:
    """The forecast that `forecast_job` stored."""
    values = json.loads((folder / RESULT).read_text(encoding="utf-8"))
    return Forecast(**{**values, "counts": RowCounts(**values["counts"])})


def _reason(status: int, folder: Path) -> str:
    """Why the forecast failed, in one sentence."""
    last = _last_line(folder / ERRORS)
    if status == REFUSED and last:
        return last
    if status < 0:
        return (
            f"The forecast was ended by {signal.Signals(-status).name}, perhaps for lack of memory; choose fewer rows "
            "in memory at once, or a smaller model."
        )
    log.error("A forecast failed:\n%s", (folder / ERRORS).read_text(encoding="utf-8", errors="replace"))
    return f"The forecast failed because of an error in the program ({last[:160]}); see the server's log for details."


def _last_line(path: Path) -> str:
    lines = path.read_text(encoding="utf-8", errors="replace").rstrip().splitlines()
    return lines[-1] if lines else ""
