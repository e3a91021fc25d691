"""python -m indexing COMMAND: make an index of a corpus, look at it, change it."""

import argparse
import sys
from collections.abc import Sequence

from indexing.cli import build, change, gc, inspect, remove, run, shell, tune, verify

GROUPS = (build, inspect, verify, change, tune, gc, remove, run)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; give back the exit status."""
    return shell.run(parser(), arguments, stopped="Stopped. The index in use is unchanged.")


def parser() -> argparse.ArgumentParser:
    """The command line of this package."""
    program = shell.Parser(prog="python -m indexing", description=__doc__)
    commands = program.add_subparsers(required=True, metavar="COMMAND")
    for group in GROUPS:
        group.add(commands)
    shell.add_verbose(program, *commands.choices.values())
    return program


if __name__ == "__main__":
    sys.exit(main())
