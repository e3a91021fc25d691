"""python -m search query|run|rerank: show every stage of an answer, write a TREC run, or re-rank another engine's."""

import argparse
import sys
from collections.abc import Sequence

from indexing.cli import shell
from search.cli import query, rerank, run


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status."""
    return shell.run(parser(), arguments)


def parser() -> argparse.ArgumentParser:
    """The command line of this package."""
    root = shell.Parser(prog="python -m search", description=__doc__)
    shell.add_verbose(root)
    commands = root.add_subparsers(required=True)
    for command in (query, run, rerank):
        command.add(commands)
    return root


if __name__ == "__main__":
    sys.exit(main())
