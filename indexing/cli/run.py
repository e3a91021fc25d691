"""run: do the build or estimate of a job's folder, as the app's Indexes page starts it in the background."""

import argparse
import logging

from indexing.cli.numbers import whole
from indexing.cli.options import existing_path
from indexing.cli.shell import FAILED, STOPPED, Commands

STATUSES = {"done": 0, "stopped": STOPPED, "failed": FAILED}
"""Exit statuses by the state that the job ended in."""


def add(commands: Commands) -> None:
    """Add the command."""
    command = commands.add_parser("run", help="do the build of a job's folder, as the app's Indexes page does")
    command.add_argument(
        "folder", metavar="JOB_DIR", type=existing_path, help="a folder with config.json and status.json"
    )
    command.add_argument("--lock", type=whole(0), help=argparse.SUPPRESS)  # descriptor of an inherited lock
    command.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from indexing.jobs.run import run_build  # loads torch

    log, handler = logging.getLogger("indexing.jobs"), logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False  # else each line stands there twice
    try:
        return STATUSES[run_build(options.folder, lock=options.lock).state]
    finally:
        log.removeHandler(handler)
        log.propagate = True
