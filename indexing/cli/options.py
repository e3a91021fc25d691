"""Options that several commands of `python -m indexing` share, and what their values become."""

import argparse
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from indexing import places
from indexing.catalogue import current_build
from indexing.corpus.fields import Fields
from indexing.corpus.hub_names import is_hub_corpus
from indexing.errors import SettingsError
from indexing.verification import NO_VERIFY

if TYPE_CHECKING:
    from indexing.corpus.corpus import Corpus


def add_index(command: argparse.ArgumentParser) -> None:
    """Add the index's name, as NAME or as --index NAME, and --root."""
    command.add_argument("name", nargs="?", metavar="NAME", help="name of the index")
    add_index_option(command)


def add_index_option(command: argparse.ArgumentParser) -> None:
    """Add --index alone, and --root."""
    command.add_argument("--index", metavar="NAME", help="name of the index")
    add_root(command)


def index_name(options: argparse.Namespace) -> str:
    """The index that was named in one way or the other.

    Raises:
        SettingsError: none is named, or two are.
    """
    names = {name for name in (options.index, getattr(options, "name", None)) if name is not None}
    if len(names) != 1:
        given = f"Two indexes are named, {' and '.join(map(repr, sorted(names)))}" if names else "No index is named"
        raise SettingsError(f"{given}; give one: --index NAME. python -m indexing list prints their names.")
    return str(names.pop())


def existing_index(options: argparse.Namespace) -> str:
    """The index that was named, once it is known to exist: before anything heavy is imported.

    Raises:
        SettingsError, IndexingError: none is named, two are, or there is no such index.
    """
    name = index_name(options)
    current_build(name, root=options.root)
    return name


def add_root(command: argparse.ArgumentParser) -> None:
    """Add --root, the folder of all indexes."""
    command.add_argument("--root", type=path, default=places.indexes(), help="folder of all indexes (%(default)s)")


def add_json(command: argparse.ArgumentParser) -> None:
    """Add the flag --json, for a command that prints a result."""
    command.add_argument("--json", action="store_true", help="print JSON for programs")


def add_corpus(command: argparse.ArgumentParser, forms: str) -> None:
    """Add --corpus and how it is read; `forms` says what it may be."""
    command.add_argument("--corpus", required=True, help=forms)
    command.add_argument(
        "--id-field", metavar="FIELD", help="the id's, in JSONL, Parquet, or a header row (by the usual names)"
    )
    command.add_argument("--text-field", metavar="FIELD", help="the text's, likewise")
    command.add_argument("--title-field", metavar="FIELD", help="the title's, likewise; '' for no title")
    command.add_argument(
        "--on-bad-line",
        choices=("stop", "skip"),
        default="stop",
        help="a line that can't be read ends the command, or is left out (%(default)s)",
    )
    command.add_argument(
        "--keep-encoding",
        action="store_true",
        help="read texts that were encoded twice as they are, not as they were meant",
    )


def corpus_fields(options: argparse.Namespace) -> Fields:
    """The names of the corpus's fields."""
    return Fields(id=options.id_field, text=options.text_field, title=options.title_field)


def open_corpus(options: argparse.Namespace) -> "Corpus":
    """The corpus that --corpus names, fetched first where it is one of the hub's that isn't stored yet."""
    from indexing.corpus.corpus import Corpus

    return Corpus(
        _corpus_path(options.corpus),
        skip_bad_lines=options.on_bad_line == "skip",
        fields=corpus_fields(options),
        mend=not options.keep_encoding,
    )


def _corpus_path(corpus: str) -> Path:
    if not is_hub_corpus(corpus):
        return Path(corpus)
    from indexing.corpus.hub import fetch
    from indexing.progress import Bars

    with Bars("records") as bars:
        return fetch(corpus, progress=bars)


def add_workers(command: argparse.ArgumentParser) -> None:
    """Add --workers, the devices that encode."""
    command.add_argument(
        "--workers", default="", help="devices that encode, a process on each, such as cuda:0,cuda:1 or cpu:2"
    )


def worker_devices(workers: str) -> tuple[str, ...]:
    """Devices of `cuda:0,cuda:1`, or of `cpu:2`, which is two processes on the CPU.

    Raises:
        SettingsError: it has another form.
    """
    devices: list[str] = []
    for part in filter(None, workers.split(",")):
        match = re.fullmatch(r"(cpu|cuda)(?::([0-9]+))?", part)
        if match is None:
            raise SettingsError(f"--workers {workers!r} isn't understood; give cuda:0,cuda:1 or cpu:2.")
        devices += ["cpu"] * int(match[2] or 1) if match[1] == "cpu" else [part]
    return tuple(devices)


class _NoVerify(argparse.Action):
    """Sets the environment variable, so that processes which the command starts don't check either."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,  # noqa: ARG002  # argparse's signature
        namespace: argparse.Namespace,  # noqa: ARG002  # likewise
        values: object,  # noqa: ARG002  # likewise
        option_string: str | None = None,  # noqa: ARG002  # likewise
    ) -> None:
        os.environ[NO_VERIFY] = "1"


def add_no_verify(command: argparse.ArgumentParser) -> None:
    """Add --no-verify, for a command that opens an index."""
    command.add_argument(
        "--no-verify",
        action=_NoVerify,
        nargs=0,
        help=f"open an index without comparing its bytes with its manifest, as with {NO_VERIFY}=1",
    )


def path(text: str) -> Path:
    """The `type` of an option that takes a path, which an empty word isn't: it would be the working directory."""
    if not text.strip():
        raise argparse.ArgumentTypeError(f"is {text!r}; give a path.")
    return Path(text)


def existing_path(text: str) -> Path:
    """The `type` of an option that takes a file or folder to read: one that is there is checked at once."""
    found = path(text)
    try:
        found.stat()
    except OSError as error:
        raise argparse.ArgumentTypeError(f"is {text!r}: {error.strerror}; give a path that exists.") from error
    return found


def check_at_least(option: str, value: int, *, least: int, what: str) -> None:
    """Raise SettingsError for a number below `least`; `what` is its unit, such as `candidate`."""
    if value < least:
        raise SettingsError(f"{option} is {value}; give {least} {what} or more.")
