"""verify: check every file of an index against its manifest."""

import argparse

from indexing.cli.options import add_index, add_json, index_name
from indexing.cli.printed import print_json
from indexing.cli.shell import Commands


def add(commands: Commands) -> None:
    """Add the command."""
    verification = commands.add_parser("verify", help="check every file of an index against its manifest")
    add_index(verification)
    add_json(verification)
    verification.set_defaults(run=_verify)


def _verify(options: argparse.Namespace) -> int:
    name = index_name(options)
    from indexing.catalogue import current_build, verify
    from indexing.progress import Bars

    folder = current_build(name, root=options.root)
    with Bars("bytes") as bars:
        faults = verify(folder, full=True, progress=bars)
    if options.json:
        print_json({"index": str(folder), "sound": not faults, "faults": faults})
    else:
        print("\n".join(faults) or f"{folder}: every file matches its manifest.")
    return 1 if faults else 0
