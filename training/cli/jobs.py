"""run, jobs: do one training job in this process, and list all of them."""

import argparse
import os
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from indexing import places
from indexing.jobs.folder import NICENESS, write_holder
from training.cli.options import Commands
from training.jobs import jobs
from training.jobs.run import run
from training.jobs.status import Status


def add(commands: Commands) -> None:
    """Add both commands."""
    one = commands.add_parser("run", help="do the training of a job's folder, as the app's Train page does")
    one.add_argument("folder", metavar="JOB_DIR", type=Path, help="a folder with config.json, below that of all jobs")
    one.add_argument("--resume", action="store_true", help="go on from the last checkpoint")
    one.add_argument("--lock", type=int, help=argparse.SUPPRESS)  # descriptor of the lock that is held for this process
    one.set_defaults(run=_run)
    every = commands.add_parser("jobs", help="list the training jobs, the newest first")
    every.add_argument("--jobs", type=Path, default=places.jobs(), help="folder of all jobs (%(default)s)")
    every.set_defaults(run=_jobs)


def _run(options: argparse.Namespace) -> int:
    jobs.read_request(options.folder)  # before anything is made there
    say = partial(print, flush=True)
    if options.lock is None:
        with jobs.hold(options.folder) as lock:
            write_holder(lock, os.getpid())
            return _said(options, run(options.folder, resume=options.resume, say=say))
    with os.fdopen(options.lock, "a", encoding="ascii"):
        os.nice(NICENESS)
        return _said(options, run(options.folder, resume=options.resume, say=say))


def _said(options: argparse.Namespace, ended: Status) -> int:
    if ended.state == "finished":
        measured = "" if ended.ndcg is None else f", nDCG@10 {ended.ndcg:.4f} on the dev set"
        print(f"Re-ranker: {ended.version}{measured}")
        return 0
    print(f"Stopped at step {ended.step:,}; go on: python -m training run {options.folder} --resume")
    return 130


def _jobs(options: argparse.Namespace) -> int:
    for job in jobs.jobs(options.jobs):
        status = job.status
        started = datetime.fromtimestamp(status.started, UTC).isoformat(timespec="minutes")[:16]
        measured = "" if status.ndcg is None else f"nDCG@10 {status.ndcg:.4f}"
        steps = f"{status.step:,} of {status.steps:,} steps" if status.steps else ""
        cells = (job.name, job.state, started, job.request.settings.recipe, steps, measured, status.version)
        print("  ".join(filter(None, (*cells, status.error))))
    return 0
