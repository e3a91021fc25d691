"""models: list the versions of re-rankers, or the history of promotions."""

import argparse

from indexing.cli.shell import Commands
from training.cli.options import add_models
from training.versions import promoted, registry


def add(commands: Commands) -> None:
    """Add the command."""
    command = commands.add_parser("models", help="list the versions of re-rankers")
    command.add_argument("--history", action="store_true", help="list promotions and rollbacks")
    add_models(command)
    command.set_defaults(run=_models)


def _models(options: argparse.Namespace) -> int:
    if options.history:
        for row in promoted.history(options.models):
            print(f"{row.at}  {row.action:<8} {row.promoted}  by {row.by}  {row.reason}".rstrip())
        return 0
    current = promoted.current_promotion(options.models)
    versions = registry.versions(options.models)
    print("\n".join(registry.listing(versions, promoted=current.promoted, before=current.before)))
    return 0
