"""export, push-to-hub: hand a version on, in another format or to the Hugging Face hub."""

import argparse
from pathlib import Path

from indexing.errors import SettingsError
from search.rerank.engines import FILES, check_libraries
from search.served import NO_RERANKER
from search.settings import PipelineSettings
from training.cli.options import Commands, add_models, add_root
from training.versions.gate_settings import SPLIT
from training.versions.registry import find

INSTALL = 'pip install -e ".[export]"'


def add(commands: Commands) -> None:
    """Add both commands."""
    write = commands.add_parser("export", help="write a version as ONNX or OpenVINO, if it ranks as the original does")
    write.add_argument("version", help="NAME/VERSION below the folder of models, or shipped")
    write.add_argument("--format", choices=tuple(FILES), required=True)
    write.add_argument("--output", type=Path, help="folder to make; beside the version by default")
    write.add_argument("--index", default="sample", help="whose passages both rank, to be compared (%(default)s)")
    write.add_argument("--split", default=SPLIT, help="judged split of the queries (%(default)s)")
    write.add_argument("--queries", type=int, default=50, help="at most so many of them (%(default)s)")
    write.add_argument("--depth", type=int, default=20, help="passages of each (%(default)s)")
    add_models(write)
    add_root(write)
    write.set_defaults(run=_export)
    send = commands.add_parser("push-to-hub", help="publish a version on the Hugging Face hub, with its model card")
    send.add_argument("version", help="NAME/VERSION below the folder of models, or shipped")
    send.add_argument("repository", metavar="OWNER/NAME", help="made where it isn't there yet")
    send.add_argument(
        "--private",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="whether a repository that is made is for its owner alone; it is, unless told otherwise",
    )
    add_models(send)
    send.set_defaults(run=_push)


def _export(options: argparse.Namespace) -> int:
    _check_installed(options.format)
    if options.queries < 1:
        raise SettingsError(f"--queries is {options.queries}; give 1 query or more.")
    PipelineSettings(depth=options.depth, rerank_depth=0)  # refuses what searching would, before anything is loaded
    version = find(options.version, options.models)
    from indexing.index import judged_split
    from indexing.progress import Bars
    from search.load import open_pipeline
    from training.evaluation.candidates import first_stage_lists
    from training.versions.export.export import export, export_folder

    target = options.output or export_folder(version, options.format, models=options.models)
    pipeline = open_pipeline(options.index, reranker=NO_RERANKER, root=options.root)
    judged = judged_split(pipeline.index, options.split)
    with Bars("queries") as bars:
        lists = first_stage_lists(pipeline, judged, depth=options.depth, queries=options.queries, progress=bars)
        parity = export(version, options.format, target, lists, progress=bars)
    print(f"{parity.sentence()}.")
    print(f"Export: {target}")
    return 0


def _check_installed(form: str) -> None:
    try:
        check_libraries(form)
    except SettingsError as error:
        raise SettingsError(f"{error}, or all that exports need: {INSTALL}") from None


def _push(options: argparse.Namespace) -> int:
    from training.versions.push import push

    print(push(find(options.version, options.models), options.repository, private=options.private))
    return 0
