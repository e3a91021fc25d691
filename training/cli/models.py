"""models, average, promote, rollback: list versions, compare two, merge several, and choose the one that is served."""

import argparse
from pathlib import Path

from indexing.errors import SettingsError
from search.served import NO_RERANKER
from search.settings import PipelineSettings
from training.cli.options import Commands, add_models, add_root
from training.versions import promoted, registry
from training.versions.gate_settings import DEPTH, SPLIT, GateSettings


def add(commands: Commands) -> None:
    """Add the commands of versions."""
    models = commands.add_parser("models", help="list the versions of re-rankers")
    models.add_argument("--history", action="store_true", help="list promotions and rollbacks")
    add_models(models)
    models.set_defaults(run=_models)
    _add_compare(models.add_subparsers(title="more", metavar="[compare]"))
    serve = commands.add_parser("promote", help="serve a version, if it isn't worse than the one that is served")
    serve.add_argument("version", help="NAME/VERSION below the folder of models, or shipped")
    serve.add_argument("--index", default="sample", help="whose dev queries decide (%(default)s)")
    serve.add_argument("--depth", type=int, default=DEPTH, help="passages re-ranked for each (%(default)s)")
    serve.add_argument("--force", action="store_true", help="in spite of the verdict, with a --reason")
    serve.add_argument("--reason", default="", help="is recorded")
    add_models(serve)
    add_root(serve)
    serve.set_defaults(run=_promote)
    mean = commands.add_parser("average", help="make a version of the mean of several versions' weights")
    mean.add_argument(
        "versions", metavar="VERSION", nargs="+", help="NAME/VERSION below the folder of models, or shipped"
    )
    mean.add_argument("--share", type=float, help="the last one's share of the weights (the same as every other's)")
    mean.add_argument("--output", type=Path, required=True, help="folder of the version, such as data/models/mean/1")
    add_models(mean)
    mean.set_defaults(run=_average)
    back = commands.add_parser("rollback", help="serve the version before again")
    back.add_argument("--reason", default="", help="is recorded")
    add_models(back)
    back.set_defaults(run=_rollback)


def _add_compare(commands: Commands) -> None:
    two = commands.add_parser("compare", help="measure two versions on the same judged queries, as promote does")
    two.add_argument("version", metavar="A", help="NAME/VERSION below the folder of models, or shipped")
    two.add_argument("against", metavar="B", help="likewise")
    two.add_argument("--index", default="sample", help="whose judged queries decide (%(default)s)")
    two.add_argument("--split", default=SPLIT, help="judged split (%(default)s)")
    two.add_argument("--depth", type=int, default=DEPTH, help="passages re-ranked for each query (%(default)s)")
    # without a default of its own: it would replace what was given before `compare`
    two.add_argument("--models", type=Path, default=argparse.SUPPRESS, help="folder of all models")
    add_root(two)
    two.set_defaults(run=_compare)


def _models(options: argparse.Namespace) -> int:
    if options.history:
        for row in promoted.history(options.models):
            print(f"{row.at}  {row.action:<8} {row.promoted}  by {row.by}  {row.reason}".rstrip())
        return 0
    at = promoted.current(options.models)
    print("\n".join(registry.listing(registry.versions(options.models), promoted=at.promoted, before=at.before)))
    return 0


def _average(options: argparse.Namespace) -> int:
    from training.versions.average import average

    versions = [registry.find(name, options.models) for name in options.versions]
    share = "" if options.share is None else f" --share {options.share:g}"
    command = f"python -m training average {' '.join(version.id for version in versions)}{share}"
    print(f"Re-ranker: {average(versions, options.output, share=options.share, command=command)}")
    return 0


def _compare(options: argparse.Namespace) -> int:
    if options.version == options.against:
        raise SettingsError(f"Both are {options.version}; name two versions that differ.")
    _check_depth(options)
    versions = [registry.find(name, options.models) for name in (options.version, options.against)]
    from indexing.index import judged_split
    from indexing.progress import Bars
    from search.load import open_pipeline
    from search.rerank.cross_encoder import CrossEncoderReranker
    from training.versions.compare import compare_versions

    pipeline = open_pipeline(options.index, reranker=NO_RERANKER, root=options.root)
    judged = judged_split(pipeline.index, options.split)
    with Bars("queries") as bars:
        comparison = compare_versions(
            {version.id: CrossEncoderReranker(str(version.folder)) for version in versions},
            pipeline,
            judged,
            baseline=options.against,
            depth=options.depth,
            progress=bars,
        ).comparison
    print(f"{comparison.versus[options.version].paired.sentence(options.version, options.against)}.")
    return 0


def _check_depth(options: argparse.Namespace) -> None:
    PipelineSettings(depth=options.depth, rerank_depth=0)  # refuses what searching would, before anything is loaded


def _promote(options: argparse.Namespace) -> int:
    _check_depth(options)
    registry.find(options.version, options.models)
    from indexing.progress import Bars
    from search.load import open_pipeline
    from training.versions.promote import promote_version

    pipeline = open_pipeline(options.index, reranker=NO_RERANKER, root=options.root)
    with Bars("queries") as bars:
        now = promote_version(
            options.version,
            pipeline,
            GateSettings(depth=options.depth, models=options.models),
            by=promoted.person(),
            reason=options.reason,
            force=options.force,
            progress=bars,
        )
    print(f"{now.promoted} is served from now on; before it: {now.before}.")
    return 0


def _rollback(options: argparse.Namespace) -> int:
    now = promoted.rollback(by=promoted.person(), reason=options.reason, models=options.models)
    print(f"{now.promoted} is served again.")
    return 0
