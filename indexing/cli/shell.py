"""What the command lines of all programs share: arguments, -v, logging, errors as one sentence, exit statuses.

Nothing heavy is imported here: `--help` and a refused argument answer at once.
"""

import argparse
import io
import logging
import os
import re
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn, TypeAlias

from indexing.disk import full_disk, is_full
from indexing.errors import SecondLookError, SettingsError, first_line
from indexing.names import nearest_first

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
"""Where a module of a `cli` folder adds its command."""
RunCommand: TypeAlias = Callable[[argparse.Namespace], int]
"""What a command does; the result is its exit status."""

ROOMS = ("indexing", "search", "training", "app")
LEVELS = (logging.WARNING, logging.INFO, logging.DEBUG)
FAILED, STOPPED, PIPE_CLOSED = 2, 130, 141  # exit statuses, as a shell numbers them
LONGEST = 4_096  # characters of one argument, as long as a path may be
SENTENCE = 500  # characters of a refused command line's sentence
SHOWN = 60  # characters of a refused argument
_LONG_WORD = re.compile(r"(\S{100})\S{200,}(\S{60})")
"""A word that would fill the screen, such as a path that is too long: its ends are enough."""
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
"""Control characters but for tabs and ends of lines: in a passage, an id or a name they may command a terminal."""


def harmless(text: str) -> str:
    """The text with its control characters spelled out, as in `\\x1b`."""
    return _CONTROLS.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def say(sentence: object) -> None:
    """Print a sentence on stderr, its control characters spelled out."""
    print(harmless(str(sentence)), file=sys.stderr)


class _Terminal(io.TextIOWrapper):
    """A stream to a terminal, which obeys no text."""

    def write(self, text: str, /) -> int:
        """Write the text, its control characters spelled out."""
        super().write(harmless(text))
        return len(text)


class _Formatter(logging.Formatter):
    """Makes messages of our own and of libraries harmless, as sentences of errors are."""

    def format(self, record: logging.LogRecord) -> str:
        """The message alone."""
        return harmless(super().format(record))


class Parser(argparse.ArgumentParser):
    """A command line that is refused in one sentence, where argparse prints its usage too; commands are of it as well.

    An unknown option is refused with the one that it resembles.
    """

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> tuple[Any, list[str]]:
        """As argparse does, but what isn't known is refused here, where the command's own options are known."""
        known, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.error(self._unknown(unknown[0]))
        return known, []

    def error(self, message: str) -> NoReturn:
        """End with status 2 and the sentence; a value out of its range is a SettingsError, as any other setting's."""
        found = re.match(r"argument (?:[^:]*/)?([^:]+): (.*)", message, flags=re.DOTALL)
        if found is not None and found[2].startswith("is "):  # one of our own types, which names the range itself
            raise SettingsError(f"{found[1]} {found[2]}")
        shown = " ".join((f"{found[1]}: {found[2]}" if found else message).split()).rstrip(".;")
        shown = shown if len(shown) <= SENTENCE else f"{shown[:SENTENCE]}…"
        self.exit(FAILED, f"{harmless(shown)}; {self.prog} --help lists what there is.\n")

    def _unknown(self, argument: str) -> str:
        if not argument.startswith("-"):
            return f"{argument[:SHOWN]!r} is one argument too many"
        name = argument.partition("=")[0][:SHOWN]
        alike = nearest_first(name, (option for option in self._option_string_actions if option.startswith("--")))
        return f"There is no option {name!r}, the nearest is {alike[0]}" if alike else f"There is no option {name!r}"


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
    _open_streams()
    try:
        with _terminated_as_interrupted():
            options = parser.parse_args(_checked(sys.argv[1:] if arguments is None else arguments))
            set_up_logging(LEVELS[_verbosity(options)])
            status = int(options.run(options))
            _report_checks()
            sys.stdout.flush()  # here, where a full disk or a closed pipe is told in a sentence
            return status
    except BrokenPipeError:  # `| head` has read enough
        _discard_output()
        return PIPE_CLOSED
    except (SecondLookError, OSError) as error:
        if logging.getLogger(ROOMS[0]).level == logging.DEBUG:
            traceback.print_exception(error, file=sys.stderr)
        say(_LONG_WORD.sub(r"\1…\2", sentence(error)))
        _discard_output()
        return FAILED
    except KeyboardInterrupt:
        print(stopped, file=sys.stderr)
        return STOPPED
    except Exception as error:
        if not is_full(error):
            raise
        say(f"A disk is full, or a limit on its files is reached ({first_line(error)}); free some space.")
        return FAILED


def _verbosity(options: argparse.Namespace) -> int:
    return min(getattr(options, "verbose", 0), len(LEVELS) - 1)


def _checked(arguments: Sequence[str]) -> Sequence[str]:
    """The arguments; raises SettingsError for one that is no text, or that no path and no query is as long as."""
    for place, argument in enumerate(arguments, start=1):
        shown = argument[:SHOWN].encode(errors="backslashreplace").decode().replace("\0", "\\0")
        if any("\ud800" <= character <= "\udfff" for character in argument):
            raise SettingsError(f"Argument {place}, '{shown}', isn't UTF-8 text; rename what it names.")
        if "\0" in argument:
            raise SettingsError(f"Argument {place}, '{shown}', holds a NUL character; leave it out.")
        if re.fullmatch(r"-[^=]+=--", argument):  # argparse drops the dashes, and gives the option an empty list
            raise SettingsError(f"{shown[:-3]} is '--'; give a value.")
        if len(argument) > LONGEST:
            raise SettingsError(
                f"Argument {place}, '{shown}…', has {len(argument):,} characters; give at most {LONGEST:,}."
            )
    return arguments


def _open_streams() -> None:
    """Make stdin, stdout and stderr usable: a closed one leads nowhere, none fails over a character, and a terminal
    obeys no text that is printed.

    Were descriptor 1 left closed, the next file to be opened would get it, and a library's message would go into it.
    """
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is None:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != number:
                os.dup2(opened, number)
            raw = os.fdopen(number, f"{mode}b", closefd=False)
            setattr(sys, name, io.TextIOWrapper(raw, encoding="utf-8", errors="backslashreplace"))
    for stream, errors in ((sys.stdin, "surrogateescape"), (sys.stdout, "backslashreplace")):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors=errors)
    if type(sys.stdout) is io.TextIOWrapper and sys.stdout.isatty():
        encoding = sys.stdout.encoding
        sys.stdout = _Terminal(sys.stdout.detach(), encoding, errors="backslashreplace", line_buffering=True)


def _discard_output() -> None:
    """What is still buffered for stdout goes nowhere, so that Python doesn't fail over it at its end."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    """SIGTERM ends the command as Ctrl-C does, unless somebody else has taken the signal."""

    def interrupt(number: int, frame: FrameType | None) -> None:  # noqa: ARG001  # signal's signature
        raise KeyboardInterrupt

    own = threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    if own:
        signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        if own:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _report_checks() -> None:
    """Name the indexes whose bytes were still being checked: the check ends with the command."""
    from indexing.verification import verifications

    for folder in verifications.unfinished():
        print(
            f"The command was done before all bytes of index {folder.parent.name} were checked; to check them: "
            f"python -m indexing verify {folder.parent.name}",
            file=sys.stderr,
        )


def set_up_logging(level: int) -> None:
    """Print log messages of our own code from `level` on, and warnings of libraries, to stderr."""
    handler = logging.StreamHandler()
    handler.setFormatter(_Formatter("%(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    for room in ROOMS:
        logging.getLogger(room).setLevel(level)


def sentence(error: Exception) -> str:
    """An error as a user reads it: ours is a sentence already; the system's gets its file and what to check."""
    if not isinstance(error, OSError) or error.strerror is None:
        return str(error)
    if error.filename is not None and is_full(error):
        return str(full_disk(Path(os.fsdecode(error.filename))))
    if error.filename is None:
        return f"The system refused: {error.strerror}."
    return f"{error.filename}: {error.strerror}. Check that the path exists and that you may read and write there."
