"""promote and rollback: serve a version, if it isn't worse than the served one, or the previous one again."""

import argparse

from indexing import places
from indexing.catalogue import current_build
from indexing.cli.shell import Commands
from indexing.errors import SettingsError
from search.served import NO_RERANKER
from training.cli.options import VERSION_HELP, add_index, add_models, add_rerank_depth, check_rerank_depth
from training.versions import promoted, registry
from training.versions.gate_settings import DEPTH, GateSettings


def add(commands: Commands) -> None:
    """Add the commands."""
    command = commands.add_parser("promote", help="serve a version, if it isn't worse than the served one")
    command.add_argument("version", metavar="VERSION", help=VERSION_HELP)
    add_index(command, "whose dev queries decide")
    add_rerank_depth(command, DEPTH)
    command.add_argument("--force", action="store_true", help="promote despite the verdict; needs a --reason")
    command.add_argument("--reason", default="", help="reason to record")
    add_models(command)
    command.set_defaults(run=_promote)
    back = commands.add_parser("rollback", help="serve the previous version again")
    back.add_argument("--reason", default="", help="reason to record")
    add_models(back)
    back.set_defaults(run=_rollback)


def _promote(options: argparse.Namespace) -> int:
    check_rerank_depth(options.rerank_depth)
    if options.force and not options.reason.strip():
        raise SettingsError("--force needs a --reason, which is recorded with the promotion.")
    registry.find_version(options.version, options.models)
    current_build(options.index, root=options.root)
    from indexing.progress import Bars
    from search.load import open_pipeline
    from training.versions.measured import FOLDER
    from training.versions.promote import promote_version

    pipeline = open_pipeline(options.index, reranker=NO_RERANKER, root=options.root)
    with Bars("queries") as bars:
        promotion = promote_version(
            options.version,
            pipeline,
            GateSettings(depth=options.rerank_depth, models=options.models, kept_in=places.runs() / FOLDER),
            by=promoted.person(),
            reason=options.reason,
            force=options.force,
            progress=bars,
        )
    print(f"{promotion.promoted} is served from now on; before it: {promotion.before}.")
    return 0


def _rollback(options: argparse.Namespace) -> int:
    promotion = promoted.rollback(by=promoted.person(), reason=options.reason, models=options.models)
    print(f"{promotion.promoted} is served again.")
    return 0
