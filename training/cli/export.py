"""export: write a version as ONNX or OpenVINO, if it ranks as the original does."""

import argparse
from pathlib import Path

from indexing.catalogue import current_build
from indexing.cli.numbers import whole
from indexing.cli.options import check_at_least
from indexing.cli.shell import Commands, add_old_spelling
from indexing.errors import SettingsError
from search.rerank.engines import FILES, check_libraries
from search.served import NO_RERANKER
from training.cli.options import VERSION_HELP, add_index, add_models, add_rerank_depth, check_rerank_depth
from training.versions.gate_settings import SPLIT
from training.versions.registry import find_version

INSTALL = 'pip install -e ".[export]"'


def add(commands: Commands) -> None:
    """Add the command."""
    command = commands.add_parser(
        "export", help="write a version as ONNX or OpenVINO, if it ranks as the original does"
    )
    command.add_argument("version", metavar="VERSION", help=VERSION_HELP)
    command.add_argument("--format", choices=tuple(FILES), required=True)
    command.add_argument("--output", type=Path, help="folder to create (next to the version)")
    add_index(command, "whose passages both rank, to be compared")
    command.add_argument("--split", default=SPLIT, help="judged split of the queries (%(default)s)")
    command.add_argument("--dev-queries", type=whole(), default=50, help="largest number of them (%(default)s)")
    add_old_spelling(command, "--queries", new="--dev-queries", type=whole())
    add_rerank_depth(command, 20)
    add_models(command)
    command.set_defaults(run=_export)


def _export(options: argparse.Namespace) -> int:
    _check_installed(options.format)
    check_at_least("--dev-queries", options.dev_queries, least=1, what="query")
    check_rerank_depth(options.rerank_depth)
    version = find_version(options.version, options.models)
    current_build(options.index, root=options.root)
    from indexing.index import judged_split
    from indexing.progress import Bars
    from search.load import open_pipeline
    from training.evaluation.candidates import first_stage_lists
    from training.versions.export.export import export, export_folder

    target = options.output or export_folder(version, options.format, models=options.models)
    pipeline = open_pipeline(options.index, reranker=NO_RERANKER, root=options.root)
    judged = judged_split(pipeline.index, options.split)
    depth, queries = options.rerank_depth, options.dev_queries
    with Bars("queries") as bars:
        lists = first_stage_lists(pipeline, judged, depth=depth, queries=queries, progress=bars)
        parity = export(version, options.format, target, lists, progress=bars)
    print(f"{parity.sentence()}.")
    print(f"Export: {target}")
    return 0


def _check_installed(form: str) -> None:
    try:
        check_libraries(form)
    except SettingsError as error:
        raise SettingsError(f"{error}, or all that exports need: {INSTALL}") from None
