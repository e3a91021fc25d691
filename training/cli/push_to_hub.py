"""push-to-hub: publish a version on the Hugging Face hub, with its model card."""

import argparse

from indexing.cli.shell import Commands
from training.cli.options import VERSION_HELP, add_models
from training.versions.registry import find_version


def add(commands: Commands) -> None:
    """Add the command."""
    command = commands.add_parser("push-to-hub", help="publish a version on the Hugging Face hub, with its model card")
    command.add_argument("version", metavar="VERSION", help=VERSION_HELP)
    command.add_argument("repository", metavar="OWNER/NAME", help="created if it doesn't exist")
    command.add_argument(
        "--private",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="whether a new repository is visible to its owner alone (--private)",
    )
    add_models(command)
    command.set_defaults(run=_push)


def _push(options: argparse.Namespace) -> int:
    version = find_version(options.version, options.models)
    from training.versions.push import push

    print(push(version, options.repository, private=options.private))
    return 0
