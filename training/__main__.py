"""python -m training COMMAND: make re-rankers from judgments, measure them, serve them and hand them on."""

import argparse
import sys
from collections.abc import Sequence

from indexing.cli import shell
from training.cli import (
    average,
    calibrate,
    compare,
    decide,
    evaluate,
    expect,
    export,
    forecast,
    jobs,
    mine,
    models,
    nano_beir,
    prepare,
    promote,
    push_to_hub,
    race,
    run,
    train,
)
from training.cli.judgments import command as judgments

MAKING = (prepare, mine, train, forecast, race, run, jobs)
MEASURING = (evaluate, decide, calibrate, nano_beir, compare, expect, judgments)
VERSIONS = (models, promote, average, export, push_to_hub)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; give back the exit status."""
    return shell.run(
        parser(),
        current_words(sys.argv[1:] if arguments is None else arguments),
        stopped="Stopped. What was finished before is unchanged; the same command goes on where it can.",
    )


def parser() -> argparse.ArgumentParser:
    """The command line of this package."""
    program = shell.Parser(prog="python -m training", description=__doc__)
    commands = program.add_subparsers(required=True, metavar="COMMAND")
    for command in (*MAKING, *MEASURING, *VERSIONS):
        command.add(commands)
    shell.add_verbose(program, *commands.choices.values())
    return program


def current_words(words: Sequence[str]) -> list[str]:
    """The words of a command line; `models compare`, the former name of `compare`, is replaced, and stderr says so."""
    current = list(words)
    if "models" in current and "compare" in current[current.index("models") :]:
        print("models compare is now called compare; the old name will go in a later version.", file=sys.stderr)
        current[current.index("models")] = "compare"
        del current[current.index("compare", current.index("compare") + 1)]
    return current


if __name__ == "__main__":
    sys.exit(main())
