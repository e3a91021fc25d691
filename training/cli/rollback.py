"""rollback: serve the previous version again."""

import argparse

from indexing.cli.shell import Commands
from training.cli.options import add_models
from training.versions import promoted


def add(commands: Commands) -> None:
    """Add the command."""
    command = commands.add_parser("rollback", help="serve the previous version again")
    command.add_argument("--reason", default="", help="reason to record")
    add_models(command)
    command.set_defaults(run=_rollback)


def _rollback(options: argparse.Namespace) -> int:
    promotion = promoted.rollback(by=promoted.person(), reason=options.reason, models=options.models)
    print(f"{promotion.promoted} is served again.")
    return 0
