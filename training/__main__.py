"""python -m training COMMAND: make re-rankers from judgments, measure them, serve them and hand them on."""

import argparse
import logging
import sys
from collections.abc import Sequence

from indexing.errors import SecondLookError
from training.cli import evaluate, expect, forecast, jobs, mine, models, publish, race, train

GROUPS = (mine, train, forecast, jobs, race, evaluate, models, expect, publish)


def main(given: Sequence[str] | None = None) -> int:
    """Run one command; give back the exit status."""
    options = parser().parse_args(given)
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    try:
        status: int = options.run(options)
    except (SecondLookError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Stopped; nothing half-made was left.", file=sys.stderr)
        return 130
    return status


def parser() -> argparse.ArgumentParser:
    """The command line of this package."""
    root = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    commands = root.add_subparsers(required=True)
    for group in GROUPS:
        group.add(commands)
    return root


if __name__ == "__main__":
    sys.exit(main())
