"""One training job in this process: it reports into its folder, and can be stopped and resumed."""

import json
import signal
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from types import FrameType, TracebackType
from typing import Any, Self

from indexing.errors import ModelError, SecondLookError, SettingsError, first_line
from indexing.manifest import FILE
from indexing.progress import Progress, relabel
from search.load import open_reranker
from search.served import promoted_version
from training.evaluation.candidates import Candidates, ndcg, reranked
from training.evaluation.settings import MAIN_MEASURE
from training.fitting.callback import TrainingStep
from training.jobs.jobs import TrainingJob
from training.jobs.reporter import Say, TrainingReporter, write_preview
from training.jobs.status import FINAL, TrainingStatus, finite
from training.train.inputs import gather_inputs
from training.train.request import TrainRequest
from training.train.train import train_on
from training.train.workspace import hold
from training.versions.manifest import VersionManifest
from training.versions.recording import public_settings


class Stopper:
    """SIGTERM and Ctrl-C end the work with KeyboardInterrupt: at once or, while it `waits`, at the end of the step.

    The second one doesn't wait. Between its steps the work calls `check`.
    """

    def __init__(self) -> None:
        self.waits = False
        self._asked = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        self._before = {number: signal.signal(number, self._take) for number in (signal.SIGTERM, signal.SIGINT)}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def check(self) -> None:
        """Raise KeyboardInterrupt where it was asked for."""
        if self._asked:
            raise KeyboardInterrupt

    def _take(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        waited, self._asked = self._asked, True
        if waited or not self.waits:
            raise KeyboardInterrupt


def run(folder: Path, *, resume: bool, say: Say) -> TrainingStatus:
    """Do the job of a folder whose lock is held; gives back how it ended: `finished` or `stopped`.

    Stopped between two steps, it loses those since the last checkpoint: at most `save_every`, done again by `resume`.

    Raises:
        SecondLookError, OSError: it failed, which is written down; or it ended before and isn't to be done again.
    """
    request = TrainingJob.read_request(folder)
    reporter = TrainingReporter(folder, say=say)
    try:
        with Stopper() as stopper:
            if not (resume and _is_made(request)):
                _train(folder, request, reporter, stopper, resume=resume)
        reporter.enter("finished", version=str(request.output), ndcg=_measured(request), seconds_left=0.0, error="")
    except KeyboardInterrupt:
        reporter.enter("stopped")
    except (SecondLookError, OSError) as error:
        if reporter.status.state not in FINAL:  # else how it ended still holds
            reporter.enter("failed", error=str(error))
        raise
    except Exception as error:
        reporter.enter("failed", error=f"It broke off ({first_line(error)}); the log's end says where.")
        raise
    return reporter.status


def _train(folder: Path, request: TrainRequest, reporter: TrainingReporter, stopper: Stopper, *, resume: bool) -> None:
    def progress(phase: str, count: int, total: int) -> None:
        stopper.waits = False
        reporter.progress(phase, count, total)
        stopper.check()

    def report(step: TrainingStep) -> None:
        reporter.step(step)
        stopper.waits = not step.last
        stopper.check()
        if step.last:
            reporter.enter("evaluating" if request.dev else "training", "the version")

    with hold(request.output, resume=resume) as workspace:
        reporter.enter("gathering", error="", version="")
        inputs = gather_inputs(request, workspace, progress=progress)
        write_preview(folder, request, inputs.counts)
        if inputs.dev is not None and reporter.status.current_ndcg is None:
            reporter.enter("evaluating", "the current model")
            _measure_current(inputs.dev, reporter, progress)
        reporter.enter("training", "the model, and how long a step takes")
        command = f"python -m training run {folder.name}"
        train_on(request, inputs, workspace, resume=resume, report=report, command=command)


def _measure_current(dev: Candidates, reporter: TrainingReporter, progress: Progress) -> None:
    """nDCG@10 of the version that is served, on the same lists; nothing where none can be loaded."""
    try:
        version, reranker = promoted_version(), open_reranker()
    except SecondLookError as error:
        progress(f"no current model ({error})", 0, 0)
        return
    if reranker is not None:
        values = ndcg(reranked(dev, reranker, progress=relabel(progress, "the current model")), dev).values()
        reporter.status = replace(reporter.status, current=version, current_ndcg=fmean(values))


def _is_made(request: TrainRequest) -> bool:
    """Whether the version exists and is this job's, which ended before it could say so."""
    settings = public_settings(request.decided_by())
    return bool(_manifest(request).settings == json.loads(json.dumps(settings)))


def _measured(request: TrainRequest) -> float | None:
    """The version's own nDCG@10 on the dev set."""
    figures: Mapping[str, float] = next(iter(_manifest(request).metrics.values()), {})
    return finite(figures.get(MAIN_MEASURE))


def _manifest(request: TrainRequest) -> VersionManifest:
    if not (request.output / FILE).is_file():
        return VersionManifest()
    try:
        return VersionManifest.load(request.output)
    except ModelError as error:
        raise SettingsError(f"{error} in {request.output}; delete that folder.") from None
