"""run, jobs: do one training job in this process, and list all of them."""

import argparse
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from indexing import places
from indexing.jobs.folder import running
from training.cli.options import Commands
from training.jobs.jobs import TrainingJob
from training.jobs.status import TrainingStatus


def add(commands: Commands) -> None:
    """Add both commands."""
    one = commands.add_parser("run", help="do the training of a job's folder, as the app's Train page does")
    one.add_argument("folder", metavar="JOB_DIR", type=Path, help="a folder with config.json, below that of all jobs")
    one.add_argument("--resume", action="store_true", help="resume from the last checkpoint")
    one.add_argument("--lock", type=int, help=argparse.SUPPRESS)  # descriptor of the lock that this process was given
    one.set_defaults(run=_run)
    every = commands.add_parser("jobs", help="list the training jobs, the newest first")
    every.add_argument("--jobs", type=Path, default=places.jobs(), help="folder of all jobs (%(default)s)")
    every.set_defaults(run=_jobs)


def _run(options: argparse.Namespace) -> int:
    from training.jobs.run import run  # loads torch

    TrainingJob.read_request(options.folder)  # before anything is made there
    with running(options.folder, lock=options.lock, kind=TrainingJob):
        ended = run(options.folder, resume=options.resume, say=partial(print, flush=True))
    return _print_end(options, ended)


def _print_end(options: argparse.Namespace, ended: TrainingStatus) -> int:
    if ended.state == "finished":
        measured = "" if ended.ndcg is None else f", nDCG@10 {ended.ndcg:.4f} on the dev set"
        print(f"Re-ranker: {ended.version}{measured}")
        return 0
    print(f"Stopped at step {ended.step:,}; resume: python -m training run {options.folder} --resume")
    return 130


def _jobs(options: argparse.Namespace) -> int:
    for job in TrainingJob.all(options.jobs):
        status = job.status
        started = datetime.fromtimestamp(status.started, UTC).isoformat(timespec="minutes")[:16]
        measured = "" if status.ndcg is None else f"nDCG@10 {status.ndcg:.4f}"
        steps = f"{status.step:,} of {status.steps:,} steps" if status.steps else ""
        cells = (job.name, job.state, started, job.request.recipe, steps, measured, status.version)
        print("  ".join(filter(None, (*cells, status.error))))
    return 0
