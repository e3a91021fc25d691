"""remove: remove an index whole, once it is confirmed."""

import argparse
import sys

from indexing.cli.options import add_index, add_json, index_name
from indexing.cli.printed import print_json, size
from indexing.cli.shell import Commands
from indexing.errors import SettingsError


def add(commands: Commands) -> None:
    """Add the command."""
    removal = commands.add_parser("remove", help="remove an index whole; its corpus stays")
    add_index(removal)
    removal.add_argument("--yes", action="store_true", help="remove it without asking")
    add_json(removal)
    removal.set_defaults(run=_remove)


def _remove(options: argparse.Namespace) -> int:
    name = index_name(options)
    from indexing.jobs.remove import check_unread, index_contents, remove_index

    contents = index_contents(name, root=options.root)
    check_unread(name, root=options.root)
    builds = f"{contents.builds} build{'' if contents.builds == 1 else 's'}"
    what = f"index {name}: {builds}, {size(contents.bytes)} in {contents.folder}"
    confirmed = options.yes or _confirmed(f"Remove {what}? Its corpus stays. [y/N] ", name)
    if confirmed:
        remove_index(name, root=options.root)
    if options.json:
        print_json({"index": name, "removed": confirmed, "builds": contents.builds, "bytes": contents.bytes})
    else:
        print(f"Removed {what}" if confirmed else "Nothing was removed")
    return 0


def _confirmed(question: str, name: str) -> bool:
    if not sys.stdin.isatty():
        raise SettingsError(f"Nobody can be asked whether index {name} is to be removed; give --yes to remove it.")
    print(question, end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")
