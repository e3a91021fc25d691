"""Options that several commands of `python -m training` share, and what is checked of them at once."""

import argparse
import time
from pathlib import Path

from indexing import places
from indexing.cli.numbers import whole
from indexing.cli.options import add_no_verify, check_at_least
from indexing.cli.shell import add_old_spelling, say
from indexing.errors import SettingsError
from search.settings import PipelineSettings

VERSION_HELP = "NAME/VERSION below the folder of models, or shipped"
RERANKER_HELP = "NAME/VERSION, shipped, late (late interaction), or path or hub name of a CrossEncoder (%(default)s)"


def add_root(command: argparse.ArgumentParser) -> None:
    """Add --root, for a command that opens an index."""
    command.add_argument("--root", type=Path, default=places.indexes(), help="folder of all indexes (%(default)s)")
    add_no_verify(command)


def add_index(command: argparse.ArgumentParser, purpose: str) -> None:
    """Add --index and --root; `purpose` says what the index is for."""
    command.add_argument("--index", metavar="NAME", default="sample", help=f"index {purpose} (%(default)s)")
    add_root(command)


def add_models(command: argparse.ArgumentParser) -> None:
    """Add --models, for a command that reads or changes versions."""
    command.add_argument("--models", type=Path, default=places.models(), help="folder of all models (%(default)s)")


def add_rerank_depth(command: argparse.ArgumentParser, default: int, *, old: str = "--depth") -> None:
    """Add --rerank-depth, whose former name in the command is `old`."""
    command.add_argument(
        "--rerank-depth", type=whole(), default=default, help="passages of each query that are re-ranked (%(default)s)"
    )
    add_old_spelling(command, old, new="--rerank-depth", type=whole())


def add_runs(command: argparse.ArgumentParser, purpose: str, *, kind: str) -> None:
    """Add --run NAME=PATH, which may be repeated, as `run_files`; `kind` is what messages call the path."""

    def named(text: str) -> tuple[str, Path]:
        name, equals, path = text.partition("=")
        if not equals or not name or not path:
            raise argparse.ArgumentTypeError(f"{text!r} isn't NAME={kind}")
        return name, Path(path)

    command.add_argument(
        "--run", dest="run_files", metavar=f"NAME={kind}", type=named, action="append", default=[], help=purpose
    )


def check_rerank_depth(depth: int) -> None:
    """Raise SettingsError for a depth that no search re-ranks, before anything is loaded."""
    check_at_least("--rerank-depth", depth, least=1, what="passage")
    PipelineSettings(depth=depth, rerank_depth=depth)


def add_json(command: argparse.ArgumentParser) -> None:
    """Add the flag --json. Its former form, --json FILE, is still read: see `json_file`."""
    command.add_argument("--json", nargs="?", metavar="", const=True, default=False, help="print JSON for programs")


def add_html(command: argparse.ArgumentParser) -> None:
    """Add --html FILE, the report to share."""
    command.add_argument("--html", type=Path, metavar="FILE", help="write the report as one HTML file to share")


def check_html(options: argparse.Namespace) -> None:
    """Raise SettingsError if the file of --html can't be written, before hours of work end there."""
    if options.html is None:
        return
    if options.html.is_dir():
        raise SettingsError(f"--html {options.html} is a folder; give a file.")
    make_folder("--html", options.html.parent)


def today() -> str:
    """The date as reports show it."""
    return time.strftime("%-d %B %Y")


def json_file(options: argparse.Namespace) -> Path | None:
    """The file of the former form --json FILE, once stderr has named the new one; None for the flag.

    Raises:
        SettingsError: the file can't be written.
    """
    if isinstance(options.json, bool):
        return None
    file = Path(options.json)
    say(f"--json {file} is now --json > {file}; the old form will go in a later version.")
    if file.is_dir():
        raise SettingsError(f"--json {file} is a folder; give a file.")
    make_folder("--json", file.parent)
    return file


def make_folder(option: str, folder: Path) -> None:
    """Make the folder that an option names, before hours of work end there. Raises SettingsError if that fails."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(f"{option} can't be written to {folder} ({error.strerror}); give another.") from error
