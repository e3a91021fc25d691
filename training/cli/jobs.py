"""jobs: list the training jobs, the newest first."""

import argparse
from datetime import UTC, datetime
from pathlib import Path

from indexing import places
from indexing.cli.shell import Commands


def add(commands: Commands) -> None:
    """Add the command."""
    command = commands.add_parser("jobs", help="list the training jobs, the newest first")
    command.add_argument("--jobs", type=Path, default=places.jobs(), help="folder of all jobs (%(default)s)")
    command.set_defaults(run=_jobs)


def _jobs(options: argparse.Namespace) -> int:
    from training.jobs.jobs import TrainingJob

    for job in TrainingJob.all(options.jobs):
        status = job.status
        started = datetime.fromtimestamp(status.started, UTC).isoformat(timespec="minutes")[:16]
        measured = "" if status.ndcg is None else f"nDCG@10 {status.ndcg:.4f}"
        steps = f"{status.step:,} of {status.steps:,} steps" if status.steps else ""
        cells = (job.name, job.state, started, job.request.recipe, steps, measured, status.version)
        print("  ".join(filter(None, (*cells, status.error))))
    for sentence in TrainingJob.broken(options.jobs):
        print(sentence)
    return 0
