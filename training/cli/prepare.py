"""prepare: lay judged collections out below the folder of corpora, to be indexed."""

import argparse
from pathlib import Path

from indexing import places
from indexing.cli.shell import Commands


def add(commands: Commands) -> None:
    """Add the command."""
    command = commands.add_parser("prepare", help=f"lay judged collections out below {places.corpora()}, to be indexed")
    command.add_argument("--judged", type=Path, required=True, help="folder with one sub-folder a collection")
    command.set_defaults(run=_prepare)


def _prepare(options: argparse.Namespace) -> int:
    from training.data.prepare import prepare

    for name, path in prepare(options.judged, places.corpora()).items():
        print(f"{name:<14} {path}")
    return 0
