"""prepare: lay judged collections out below the folder of corpora, to be indexed, or lists as a folder to re-rank."""

import argparse
from pathlib import Path

from indexing import places
from indexing.cli.shell import Commands
from indexing.errors import SettingsError


def add(commands: Commands) -> None:
    """Add the command."""
    command = commands.add_parser("prepare", help=f"lay judged collections out below {places.corpora()}, to be indexed")
    what = command.add_mutually_exclusive_group(required=True)
    what.add_argument("--judged", type=Path, help="folder with one sub-folder a collection")
    what.add_argument(
        "--lists", type=Path, help="file of lists with graded candidates, laid out as a folder for evaluate --trec"
    )
    command.add_argument("--output", type=Path, help="folder that the lists are laid out in")
    command.set_defaults(run=_prepare)


def _prepare(options: argparse.Namespace) -> int:
    if (options.lists is None) != (options.output is None):
        raise SettingsError("--lists and --output belong together; give both, or neither.")
    if options.lists is not None:
        return _prepare_lists(options.lists, options.output)
    from training.data.prepare import prepare

    for name, path in prepare(options.judged, places.corpora()).items():
        print(f"{name:<14} {path}")
    return 0


def _prepare_lists(lists: Path, output: Path) -> int:
    from indexing.words.analyzers import analyzer_for
    from training.data.list_folder import lay_out_lists

    queries = lay_out_lists(lists, output, analyzer=analyzer_for("english"))
    print(f"{queries:,} queries laid out in {output}")
    return 0
