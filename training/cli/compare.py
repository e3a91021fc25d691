"""compare: measure two versions on the same judged queries, as promote does."""

import argparse
from typing import TYPE_CHECKING

from indexing import atomic, places
from indexing.catalogue import current_build
from indexing.cli.shell import Commands
from indexing.errors import SettingsError
from search.served import LATE, NO_RERANKER
from training.cli.options import (
    VERSION_HELP,
    add_html,
    add_index,
    add_models,
    add_rerank_depth,
    check_html,
    check_rerank_depth,
    today,
)
from training.versions import registry
from training.versions.gate_settings import DEPTH, SPLIT

if TYPE_CHECKING:
    from search.rerank.reranker import Reranker
    from training.versions.compare import VersionComparison


def add(commands: Commands) -> None:
    """Add the command."""
    command = commands.add_parser("compare", help="measure two versions on the same judged queries, as promote does")
    command.add_argument("version", metavar="A", help=f"{VERSION_HELP}, or {LATE}: late interaction")
    command.add_argument("against", metavar="B", help="the version to compare it with, likewise")
    add_index(command, "whose judged queries decide")
    command.add_argument("--split", default=SPLIT, help="judged split (%(default)s)")
    add_rerank_depth(command, DEPTH)
    add_models(command)
    add_html(command)
    command.set_defaults(run=_compare)


def _compare(options: argparse.Namespace) -> int:
    if options.version == options.against:
        raise SettingsError(f"Both are {options.version}; name two versions that differ.")
    check_rerank_depth(options.rerank_depth)
    check_html(options)
    names = (options.version, options.against)
    versions = [registry.find_version(name, options.models) for name in names if name != LATE]
    current_build(options.index, root=options.root)
    from indexing.index import judged_split
    from indexing.progress import Bars
    from search.load import open_pipeline
    from search.rerank.cross_encoder import CrossEncoderReranker
    from search.rerank.late_interaction import LateInteractionReranker
    from training.versions.compare import compare_versions
    from training.versions.measured import FOLDER

    pipeline = open_pipeline(options.index, reranker=NO_RERANKER, root=options.root)
    judged = judged_split(pipeline.index, options.split)
    rerankers: dict[str, Reranker] = {version.id: CrossEncoderReranker(str(version.folder)) for version in versions}
    if LATE in names:
        rerankers[LATE] = LateInteractionReranker(pipeline.encoder)
    with Bars("queries") as bars:
        found = compare_versions(
            rerankers,
            pipeline,
            judged,
            baseline=options.against,
            depth=options.rerank_depth,
            folders={version.id: version.folder for version in versions},
            kept_in=places.runs() / FOLDER,
            progress=bars,
        )
    if options.html is not None:
        _write_html(options, found, pipeline.index.folder.name)
    print(f"{found.comparison.versus[options.version].paired.sentence(options.version, options.against)}.")
    return 0


def _write_html(options: argparse.Namespace, found: "VersionComparison", build: str) -> None:
    from training.versions.compare_html import ComparedOn, compare_html

    on = ComparedOn(index=options.index, build=build, split=options.split, depth=options.rerank_depth)
    atomic.write_text(options.html, compare_html(found, options.version, on, at=today()))
