"""python -m indexing build|inspect|verify|add|delete|tune|gc: make an index, look at it, change it."""

import argparse
import logging
import sys
from collections.abc import Sequence

from indexing.cli.commands import _add, _build, _delete, _gc, _inspect, _tune, _verify
from indexing.cli.options import arguments
from indexing.errors import SecondLookError


def main(given: Sequence[str] | None = None) -> int:
    """Run one command; give back the exit status."""
    options = parser().parse_args(given)
    logging.basicConfig(level=logging.INFO if options.verbose else logging.WARNING, format="%(message)s")
    try:
        status: int = options.run(options)
    except (SecondLookError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Stopped. The index in use is as it was; finished shards are kept for the same command.", file=sys.stderr)
        return 130
    return status


def parser() -> argparse.ArgumentParser:
    """The command line of this package."""
    runs = {
        "build": _build,
        "add": _add,
        "delete": _delete,
        "inspect": _inspect,
        "verify": _verify,
        "tune": _tune,
        "gc": _gc,
    }
    return arguments(runs, description=__doc__ or "")


if __name__ == "__main__":
    sys.exit(main())
