"""run: do the training of one job's folder in this process; a TREC run is written by `python -m search run`."""

import argparse
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from indexing.cli.numbers import whole
from indexing.cli.shell import STOPPED, Commands

if TYPE_CHECKING:
    from training.jobs.status import TrainingStatus


def add(commands: Commands) -> None:
    """Add the command."""
    command = commands.add_parser("run", help="do the training of a job's folder, as the app's Train page does")
    command.add_argument(
        "folder", metavar="JOB_DIR", type=Path, help="a folder with config.json, below that of all jobs"
    )
    command.add_argument("--resume", action="store_true", help="resume from the last checkpoint")
    command.add_argument(
        "--lock", type=whole(), help=argparse.SUPPRESS
    )  # descriptor of the lock that the process inherits
    command.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from indexing.jobs.folder import running
    from training.jobs.jobs import TrainingJob

    TrainingJob.read_request(options.folder)  # before anything is made there
    from training.jobs.run import run_training

    with running(options.folder, lock=options.lock, kind=TrainingJob):
        status = run_training(options.folder, resume=options.resume, print_line=partial(print, flush=True))
    return _print_end(options, status)


def _print_end(options: argparse.Namespace, status: "TrainingStatus") -> int:
    if status.state == "finished":
        measured = "" if status.ndcg is None else f", nDCG@10 {status.ndcg:.4f} on the dev set"
        print(f"Re-ranker: {status.version}{measured}")
        return 0
    print(f"Stopped at step {status.step:,}; resume: python -m training run {options.folder} --resume")
    return STOPPED
