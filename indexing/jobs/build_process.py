"""One build of an index, or its estimate, in a process of its own: python -m indexing.jobs.build_process JOB_FOLDER."""

import argparse
import logging
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from indexing.building.build import build
from indexing.building.estimate import estimate
from indexing.corpus.corpus import Corpus
from indexing.corpus.count import count_passages
from indexing.corpus.hub import fetch
from indexing.corpus.hub_names import is_hub_corpus
from indexing.errors import SecondLookError, first_line
from indexing.jobs.build_job import BuildConfig, Status, read_job, write_status
from indexing.jobs.folder import NICENESS, hold, write_holder

WRITTEN_EVERY = 0.5  # seconds
RATE_OVER = 20.0  # seconds

log = logging.getLogger(__name__)


class Reporter:
    """Writes how far a build is: when a phase begins, and twice a second."""

    def __init__(self, folder: Path, status: Status, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._folder, self._clock = folder, clock
        self._status = status
        self._written = clock()
        self._total = 0
        self._marks: deque[tuple[float, int]] = deque()

    @property
    def status(self) -> Status:
        """How far it is."""
        return self._status

    def __call__(self, phase: str, count: int, total: int) -> None:
        """Count passages of a phase. Those of `read` are left out: they are about to be encoded."""
        if phase == "read":
            return
        now = self._clock()
        begun = phase != self._status.phase
        if begun:
            self._marks.clear()
            log.info("phase %s", phase)
        done = count if begun else self._status.done + count
        self._marks.append((now, done))
        while len(self._marks) > 2 and self._marks[1][0] <= now - RATE_OVER:
            self._marks.popleft()
        (since, before) = self._marks[0]
        rate = (done - before) / (now - since) if now > since else 0.0
        self._status = replace(self._status, phase=phase, done=done, total=total or self._total, rate=rate)
        if begun or now - self._written >= WRITTEN_EVERY:
            self.write()

    def count(self, total: int) -> None:
        """So many passages are to be done in each phase from now on."""
        self._total = total
        self._status = replace(self._status, phase="", done=0, total=total, rate=0.0)
        self.write()

    def write(self) -> None:
        """Put it on disk now."""
        self._written = self._clock()
        write_status(self._folder, self._status)


def main(given: Sequence[str] | None = None) -> int:
    """Run the job of a folder; give back the exit status."""
    parser = argparse.ArgumentParser(prog="python -m indexing.jobs.build_process", description=__doc__)
    parser.add_argument("folder", type=Path, help="a job's folder, which holds config.json")
    parser.add_argument("--lock", type=int, help="descriptor of the job's lock, where it is held for this process")
    options = parser.parse_args(given)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    job = read_job(options.folder)
    if job is None:
        log.error("%s holds no job that can be read; give a folder below data/jobs.", options.folder)
        return 2
    try:
        # let go of as soon as it is done: the libraries take a second or two to end
        with hold(job.folder) if options.lock is None else os.fdopen(options.lock, "a", encoding="ascii") as lock:
            if options.lock is None:
                write_holder(lock, os.getpid())
            return _run(job.folder, job.config)
    except SecondLookError as error:  # it is going on elsewhere
        log.error("%s", error)
        return 2


def _run(folder: Path, config: BuildConfig) -> int:
    """Do it, and write how it ended in every case but the kill of this process."""
    reporter = Reporter(folder, Status("running", started=time.time()))
    signal.signal(signal.SIGTERM, _interrupt)
    os.nice(NICENESS)
    try:
        reporter.write()
        ended = _estimated(config, reporter) if config.task == "estimate" else _built(config, reporter)
    except KeyboardInterrupt:
        ended = _ended(reporter, "stopped", "Stopped. The index in use is as it was; finished shards are kept.")
    except (SecondLookError, OSError) as error:
        ended = _ended(reporter, "failed", str(error))
    except Exception as error:
        log.exception("it broke off")
        ended = _ended(reporter, "failed", f"It broke off ({first_line(error)}); the log's end says where.")
    log.info("%s: %s", ended.state, ended.sentence)
    write_status(folder, ended)
    return 0 if ended.state == "done" else 2


def _built(config: BuildConfig, reporter: Reporter) -> Status:
    corpus = _corpus(config, reporter)
    reporter.count(count_passages(corpus.path))
    settings = config.settings()
    manifest = build(corpus, name=config.name, root=Path(config.root), settings=settings, progress=reporter)
    left_out = f"; lines left out: {manifest.skipped_count:,}" if manifest.skipped_count else ""
    counts = f"{manifest.passages:,} passages, {manifest.encoded:,} of them encoded{left_out}"
    return _ended(reporter, "done", f"Index {config.name} is built: {counts}.")


def _estimated(config: BuildConfig, reporter: Reporter) -> Status:
    found = estimate(_corpus(config, reporter), config.settings())
    return replace(_ended(reporter, "done", ""), estimate=found)


def _corpus(config: BuildConfig, reporter: Reporter) -> Corpus:
    path = Path(config.corpus)
    if is_hub_corpus(config.corpus):
        path = fetch(config.corpus, progress=reporter)
    return Corpus(path, skip_bad_lines=config.skip_bad_lines, fields=config.fields())


def _ended(reporter: Reporter, state: str, sentence: str) -> Status:
    return replace(reporter.status, state=state, sentence=sentence)


def _interrupt(*_: object) -> None:
    """End as Ctrl-C does, once."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
