"""What the options of several commands have in common."""

import argparse
from pathlib import Path
from typing import TypeAlias

from indexing import places

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
"""Where a module of `training/commands/` adds its commands."""


def add_root(command: argparse.ArgumentParser) -> None:
    """Add --root, for a command that opens an index."""
    command.add_argument("--root", type=Path, default=places.indexes(), help="folder of all indexes (%(default)s)")


def add_models(command: argparse.ArgumentParser) -> None:
    """Add --models, for a command that reads or changes versions."""
    command.add_argument("--models", type=Path, default=places.models(), help="folder of all models (%(default)s)")
