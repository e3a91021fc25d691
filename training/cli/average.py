"""average: make a version from the mean of several versions' weights."""

import argparse
from pathlib import Path

from indexing.cli.numbers import real
from indexing.cli.shell import Commands
from training.cli.options import VERSION_HELP, add_models
from training.versions import registry


def add(commands: Commands) -> None:
    """Add the command."""
    command = commands.add_parser("average", help="make a version from the mean of several versions' weights")
    command.add_argument("versions", metavar="VERSION", nargs="+", help=VERSION_HELP)
    command.add_argument("--share", type=real(), help="the last version's share of the weights (equal shares)")
    command.add_argument("--output", type=Path, required=True, help="folder of the version, such as data/models/mean/1")
    add_models(command)
    command.set_defaults(run=_average)


def _average(options: argparse.Namespace) -> int:
    versions = [registry.find_version(name, options.models) for name in options.versions]
    from training.versions.average import average_versions

    share = "" if options.share is None else f" --share {options.share:g}"
    command = f"python -m training average {' '.join(version.id for version in versions)}{share}"
    print(f"Re-ranker: {average_versions(versions, options.output, share=options.share, command=command)}")
    return 0
