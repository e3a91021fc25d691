"""gc: list the builds of an index and remove the old ones."""

import argparse

from indexing.cli.numbers import whole
from indexing.cli.options import add_index, add_json, index_name
from indexing.cli.printed import print_json, size
from indexing.cli.shell import Commands


def add(commands: Commands) -> None:
    """Add the command."""
    collection = commands.add_parser("gc", help="list the builds of an index and remove the old ones")
    add_index(collection)
    collection.add_argument(
        "--keep", type=whole(1), default=2, help="builds that stay, the current one among them (%(default)s)"
    )
    collection.add_argument("--dry-run", action="store_true", help="list only")
    add_json(collection)
    collection.set_defaults(run=_gc)


def _gc(options: argparse.Namespace) -> int:
    name = index_name(options)
    from indexing.building.prune import list_builds, prune

    rows = list_builds(name, root=options.root, keep=options.keep)
    if not options.json:
        for row in rows:
            print(f"{row.state:<10} {size(row.bytes):>10}  {row.folder}")
    removed = [] if options.dry_run else prune(name, root=options.root, keep=options.keep)
    if options.json:
        builds = [{"folder": str(row.folder), "state": row.state, "bytes": row.bytes} for row in rows]
        print_json({"index": name, "builds": builds, "removed": [str(row.folder) for row in removed]})
    elif not options.dry_run:
        print(f"{len(removed)} removed, {len(rows) - len(removed)} kept")
    return 0
