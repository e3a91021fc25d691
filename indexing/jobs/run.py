"""Runs one build of an index, or its estimate, in this process, for `python -m indexing run`."""

import logging
import signal
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from indexing.building.build import build, describe_stop
from indexing.building.estimate import estimate
from indexing.corpus.corpus import Corpus
from indexing.corpus.count import count_passages
from indexing.corpus.hub import fetch
from indexing.corpus.hub_names import is_hub_corpus
from indexing.errors import SecondLookError, first_line
from indexing.jobs.build_job import BuildJob, BuildRequest, BuildStatus
from indexing.jobs.folder import StatusWriter, running

RATE_OVER = 20.0  # seconds over which the rate is measured

log = logging.getLogger(__name__)


class BuildReporter(StatusWriter[BuildStatus]):
    """Writes the progress of a build when a phase begins and twice a second."""

    def __init__(self, folder: Path, status: BuildStatus, *, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(folder, status, clock=clock)
        self._total = 0
        self._marks: deque[tuple[float, int]] = deque()

    def __call__(self, phase: str, count: int, total: int) -> None:
        """Count passages of a phase, except `read`, whose passages are counted when they are encoded."""
        if phase == "read":
            return
        now = self.clock()
        begins = phase != self.status.phase
        if begins:
            self._marks.clear()
            log.info("phase %s", phase)
        passages = count if begins else self.status.done + count
        self._marks.append((now, passages))
        while len(self._marks) > 2 and self._marks[1][0] <= now - RATE_OVER:
            self._marks.popleft()
        since, before = self._marks[0]
        rate = (passages - before) / (now - since) if now > since else 0.0
        self.status = replace(self.status, phase=phase, done=passages, total=total or self._total, rate=rate)
        if begins:
            self.write()
        else:
            self.write_if_due()

    def expect(self, total: int) -> None:
        """Use this as the total of each following phase that reports none."""
        self._total = total
        self.status = replace(self.status, phase="", done=0, total=total, rate=0.0)
        self.write()


def run_build(folder: Path, *, lock: int | None = None) -> BuildStatus:
    """Run the job of a folder and write its final status; `lock` is the descriptor of its lock if it was inherited.

    Raises:
        SettingsError: the folder holds no job that can be read.
        BusyError: another process is running it, or another job of the same index.
    """
    request = BuildJob.read_request(folder)
    with running(
        folder, lock=lock, kind=BuildJob
    ):  # released before the process exits, which takes the libraries a second
        before = signal.signal(signal.SIGTERM, _interrupt)
        try:
            return _run(folder, request)
        finally:
            signal.signal(signal.SIGTERM, before)


def _run(folder: Path, request: BuildRequest) -> BuildStatus:
    """Run it, and write the final status in every case except when this process is killed."""
    reporter = BuildReporter(folder, BuildJob.queued(None))
    try:
        reporter.write()
        final = _run_estimate(request, reporter) if request.task == "estimate" else _run_build(request, reporter)
    except KeyboardInterrupt:
        final = _final_status(reporter, "stopped", describe_stop(Path(request.root) / request.name, request.settings()))
    except (SecondLookError, OSError) as error:
        final = _final_status(reporter, "failed", str(error))
    except Exception as error:
        log.exception("unexpected error")
        final = _final_status(
            reporter, "failed", f"An unexpected error occurred ({first_line(error)}); see the end of the log."
        )
    log.info("%s: %s", final.state, final.sentence)
    reporter.status = final
    reporter.write()
    return final


def _run_build(request: BuildRequest, reporter: BuildReporter) -> BuildStatus:
    corpus = _corpus(request, reporter)
    expected = count_passages(corpus.path)
    reporter.expect(expected)
    settings = request.settings()
    root = Path(request.root)
    manifest = build(corpus, name=request.name, root=root, settings=settings, progress=reporter, expected=expected)
    left_out = f"; lines left out: {manifest.skipped_count:,}" if manifest.skipped_count else ""
    counts = f"{manifest.passages:,} passages, {manifest.encoded:,} of them encoded{left_out}"
    return _final_status(reporter, "done", f"Index {request.name} is built: {counts}.")


def _run_estimate(request: BuildRequest, reporter: BuildReporter) -> BuildStatus:
    figures = estimate(_corpus(request, reporter), request.settings())
    return replace(_final_status(reporter, "done", ""), estimate=figures)


def _corpus(request: BuildRequest, reporter: BuildReporter) -> Corpus:
    path = Path(request.corpus)
    if is_hub_corpus(request.corpus):
        path = fetch(request.corpus, progress=reporter)
    return Corpus(path, skip_bad_lines=request.skip_bad_lines, fields=request.fields())


def _final_status(reporter: BuildReporter, state: str, sentence: str) -> BuildStatus:
    return replace(reporter.status, state=state, sentence=sentence)


def _interrupt(*_: object) -> None:
    """Interrupt the work as Ctrl-C does; further signals are ignored."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise KeyboardInterrupt
