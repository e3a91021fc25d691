"""What the command lines of all programs share: -v, logging, errors as one sentence, exit statuses, old spellings.

Nothing heavy is imported here: `--help` and a refused argument answer at once.
"""

import argparse
import logging
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from indexing.errors import SecondLookError

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
"""Where a module of a `cli` folder adds its command."""
RunCommand: TypeAlias = Callable[[argparse.Namespace], int]
"""What a command does; the result is its exit status."""

ROOMS = ("indexing", "search", "training", "app")
LEVELS = (logging.WARNING, logging.INFO, logging.DEBUG)
FAILED, STOPPED, PIPE_CLOSED = 2, 130, 141  # exit statuses, as a shell numbers them


def add_verbose(*parsers: argparse.ArgumentParser) -> None:
    """Add -v, which can be repeated, to a program and to its commands: it works before and after a command's name."""
    for parser in parsers:
        parser.add_argument(
            *("-v", "--verbose"),
            action="count",
            default=argparse.SUPPRESS,  # else a command's default would overwrite what stands before its name
            help="report more; -vv also prints the traceback behind an error",
        )


def add_old_spelling(command: argparse.ArgumentParser, old: str, *, new: str, **options: Any) -> None:
    """Accept an option's former name: it sets what `new` sets, and stderr names `new`. `--help` doesn't list it."""

    class OldSpelling(argparse.Action):
        def __call__(
            self,
            parser: argparse.ArgumentParser,  # noqa: ARG002  # argparse's signature
            namespace: argparse.Namespace,
            values: Any,
            option_string: str | None = None,  # noqa: ARG002  # likewise
        ) -> None:
            print(f"{old} is now called {new}; the old name will go in a later version.", file=sys.stderr)
            setattr(namespace, self.dest, values)

    command.add_argument(
        old,
        action=OldSpelling,
        dest=new.lstrip("-").replace("-", "_"),
        default=argparse.SUPPRESS,
        help=argparse.SUPPRESS,
        **options,
    )


def run(parser: argparse.ArgumentParser, arguments: Sequence[str] | None, *, stopped: str = "Stopped.") -> int:
    """Parse the arguments and call the `run` that the command set; give back the exit status.

    An error that a user can meet ends as one sentence on stderr and status 2, Ctrl-C as `stopped` and status 130.
    """
    options = parser.parse_args(arguments)
    verbose = min(getattr(options, "verbose", 0), len(LEVELS) - 1)
    set_up_logging(LEVELS[verbose])
    try:
        return int(options.run(options))
    except BrokenPipeError:  # `| head` has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is still buffered goes nowhere
        return PIPE_CLOSED
    except (SecondLookError, OSError) as error:
        if LEVELS[verbose] == logging.DEBUG:
            traceback.print_exception(error, file=sys.stderr)
        print(sentence(error), file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print(stopped, file=sys.stderr)
        return STOPPED


def set_up_logging(level: int) -> None:
    """Print log messages of our own code from `level` on, and warnings of libraries, to stderr."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    for room in ROOMS:
        logging.getLogger(room).setLevel(level)


def sentence(error: Exception) -> str:
    """An error as a user reads it: ours is a sentence already; the system's gets its file and what to check."""
    if not isinstance(error, OSError) or error.strerror is None:
        return str(error)
    if error.filename is None:
        return f"The system refused: {error.strerror}."
    return f"{error.filename}: {error.strerror}. Check that the path exists and that you may read and write there."
