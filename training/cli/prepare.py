"""prepare: lay judged collections out below the folder of corpora, to be indexed, or lists as a folder to re-rank."""

import argparse
from pathlib import Path

from indexing import places
from indexing.cli.numbers import whole
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
    what.add_argument(
        "--best", type=Path, metavar="CORPUS", help="judged corpus, of whose queries BM25's best are laid out so"
    )
    command.add_argument("--split", default="dev", help="judged split of --best (%(default)s)")
    command.add_argument("--depth", type=whole(), default=50, help="passages of a list of --best (%(default)s)")
    command.add_argument("--output", type=Path, help="folder that the lists are laid out in")
    command.set_defaults(run=_prepare)


def _prepare(options: argparse.Namespace) -> int:
    if (options.judged is None) != (options.output is not None):
        raise SettingsError("--lists and --best need an --output, and --judged takes none.")
    if options.judged is None:
        return _prepare_lists(options)
    from training.data.prepare import prepare

    for name, path in prepare(options.judged, places.corpora()).items():
        print(f"{name:<14} {path}")
    return 0


def _prepare_lists(options: argparse.Namespace) -> int:
    from indexing.words.analyzers import analyzer_for
    from training.data.list_folder import lay_out_best, lay_out_lists

    analyzer = analyzer_for("english")
    if options.lists is not None:
        queries = lay_out_lists(options.lists, options.output, analyzer=analyzer)
    else:
        queries = lay_out_best(options.best, options.split, options.output, analyzer=analyzer, depth=options.depth)
    print(f"{queries:,} queries laid out in {options.output}")
    return 0
