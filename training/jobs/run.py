"""Runs one training job in this process; it reports to its folder, and can be stopped and resumed."""

import json
import signal
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import fmean
from types import FrameType, TracebackType
from typing import Any, Self

from indexing import places
from indexing.errors import ModelError, SecondLookError, SettingsError, first_line
from indexing.manifest import FILE
from indexing.progress import relabel
from indexing.records import QueryId, Ranking, Run
from search.load import open_reranker
from search.rerank.reranker import Reranker
from search.served import promoted_version, reranker_path
from training.evaluation.candidates import Candidates, ndcg
from training.evaluation.settings import MAIN_MEASURE
from training.fitting.callback import TrainingStep
from training.jobs.jobs import TrainingJob
from training.jobs.reporter import PrintLine, TrainingReporter, write_preview
from training.jobs.status import FINAL, TrainingStatus, finite
from training.train.inputs import gather_inputs
from training.train.request import TrainRequest
from training.train.train import fit_measuring, train_on
from training.train.workspace import hold_workspace
from training.versions.manifest import VersionManifest
from training.versions.measured import FOLDER, kept_run, measured_run
from training.versions.recording import public_settings


class Stopper:
    """Turns SIGTERM and Ctrl-C into KeyboardInterrupt: at once or, while it `waits`, at the end of the current step.

    A second signal always interrupts at once. The work calls `check` between its steps.
    """

    def __init__(self) -> None:
        self.waits = False
        self._requested = False
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
        """Raise KeyboardInterrupt if a signal has arrived."""
        if self._requested:
            raise KeyboardInterrupt

    def _take(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        repeated, self._requested = self._requested, True
        if repeated or not self.waits:
            raise KeyboardInterrupt


def run_training(folder: Path, *, resume: bool, print_line: PrintLine) -> TrainingStatus:
    """Run the job of a folder whose lock is held, and return its final status: `finished` or `stopped`.

    A stopped job loses the steps since the last checkpoint, at most `save_every`; `resume` repeats them.

    Raises:
        SecondLookError, OSError: the job failed, and its status says so; or it had ended before and can't be repeated.
    """
    request = TrainingJob.read_request(folder)
    reporter = TrainingReporter(folder, print_line=print_line)
    try:
        with Stopper() as stopper:
            if not (resume and _has_version(request)):
                _train(folder, request, reporter, stopper, resume=resume)
        reporter.enter("finished", version=str(request.output), ndcg=_measured(request), seconds_left=0.0, error="")
    except KeyboardInterrupt:
        reporter.enter("stopped")
    except (SecondLookError, OSError) as error:
        if reporter.status.state not in FINAL:  # a job that had ended keeps its state
            reporter.enter("failed", error=str(error))
        raise
    except Exception as error:
        reporter.enter("failed", error=f"An unexpected error occurred ({first_line(error)}); see the end of the log.")
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
            reporter.enter("training", "writing the version")

    with hold_workspace(request.output, resume=resume) as workspace:
        reporter.enter("gathering", error="", version="", seconds_left=None)
        inputs = gather_inputs(request, workspace, progress=progress)
        write_preview(folder, request, inputs.counts)
        served = _ServedModel(inputs.dev, reporter)
        served.recall()
        reporter.enter("training", "the model, and how long a step takes")
        times = 1 if served.known else 2
        inputs, evaluation = fit_measuring(request, inputs, workspace, times=times, progress=reporter.progress)
        served.narrow(inputs.dev)
        command = f"python -m training run {folder.name}"
        train_on(
            request,
            inputs,
            workspace,
            resume=resume,
            report=report,
            command=command,
            progress=reporter.progress,
            evaluation=evaluation,
            before_measuring=served.measure,
        )


class _ServedModel:
    """The version served now, measured on the training's dev queries.

    It is measured before the first evaluation, so that the first step doesn't wait for it, unless its figure is kept.
    """

    def __init__(self, dev: Candidates | None, reporter: TrainingReporter) -> None:
        self._dev, self._reporter = dev, reporter
        self._version, self._run = "", dict[QueryId, Ranking]()
        self._failed = False

    @property
    def known(self) -> bool:
        """Whether nothing is left to measure."""
        return self._dev is None or self._failed or self._reporter.status.current_ndcg is not None

    def recall(self) -> None:
        """Take what was measured before with the same files, queries and build, if it is kept."""
        self._measure(only_kept=True)

    def narrow(self, dev: Candidates | None) -> None:
        """Go on with some of the dev queries; a figure of more is worked out anew."""
        if dev is None or dev is self._dev:
            return
        self._dev = dev
        if self._run:
            self._tell({query.id: self._run[query.id] for query in dev.queries if query.id in self._run})

    def measure(self) -> None:
        """Measure it now, unless that is done, or no version can be loaded."""
        self._measure(only_kept=False)

    def _measure(self, *, only_kept: bool) -> None:
        if self._dev is None or self.known:
            return
        try:
            self._version, folder = promoted_version(), Path(reranker_path())
            kept = kept_run(folder, self._dev, kept_in=places.runs() / FOLDER)
            if kept is None and only_kept:
                return
            self._run = dict(self._score(folder) if kept is None else kept.run)
        except SecondLookError as error:
            self._failed = True
            self._reporter.progress(f"no current model ({error})", 0, 0)
            return
        if kept is not None:
            self._reporter.progress(kept.sentence(self._version).rstrip("."), 0, 0)
        self._tell(self._run)

    def _tell(self, run: Run) -> None:
        """Report the figure of its lists."""
        if self._dev is not None:
            figure = fmean(ndcg(run, self._dev).values())
            self._reporter.status = replace(self._reporter.status, current=self._version, current_ndcg=figure)

    def _score(self, folder: Path) -> Run:
        if self._dev is None:
            raise ValueError("nothing is measured")
        progress = relabel(self._reporter.progress, "measuring the served version")
        open_model = partial(_open_version, folder)
        return measured_run(folder, self._dev, open_model, kept_in=places.runs() / FOLDER, progress=progress)


def _open_version(folder: Path) -> Reranker:
    reranker = open_reranker(folder)
    if reranker is None:
        raise ModelError(f"{folder} holds no re-ranker; promote a version that does.")
    return reranker


def _has_version(request: TrainRequest) -> bool:
    """Whether the version exists and is this job's, which then ended before it could report so."""
    settings = public_settings(request.decided_by())
    return bool(_manifest(request).settings == json.loads(json.dumps(settings)))


def _measured(request: TrainRequest) -> float | None:
    """The new version's nDCG@10 on the dev set; None if it wasn't measured."""
    figures: Mapping[str, float] = next(iter(_manifest(request).metrics.values()), {})
    return finite(figures.get(MAIN_MEASURE))


def _manifest(request: TrainRequest) -> VersionManifest:
    if not (request.output / FILE).is_file():
        return VersionManifest()
    try:
        return VersionManifest.load(request.output)
    except ModelError as error:
        raise SettingsError(f"{error} in {request.output}; delete that folder.") from None
