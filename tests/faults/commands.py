"""Faults in command lines: values, names, environments. Each is refused in one sentence, before heavy imports."""

import argparse
import importlib
import io
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout
from importlib.abc import MetaPathFinder
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from tests.faults.fault import Fault, WrongAnswerError
from tests.support.house import HEAVY

AREA = "commands"
PROGRAMS = ("indexing", "search", "training")
SECONDS = 1.0
LONGEST = 600  # characters of a sentence
NUMBERS = (
    "nan",
    "inf",
    "-inf",
    "1e309",
    "1_000",
    "0x10",
    "١٢",
    "½",
    "",
    " ",
    "one",
    "1,5",
    "1.2.3",
    "9" * 500,
    "1e",
    "--",
)
NUMBERS_SHARE = 5  # of these, for each option
WORDS = ("caf\udce9", "a\0b", "x" * 1_000_000)
NAMES = (
    *(
        "..",
        "../x",
        "/etc",
        "a/b",
        ".",
        ".hidden",
        "-x",
        "",
        " ",
        "a b",
        "a\nb",
        "x" * 300,
        "ｓample",
        "sаmple",
        "a\\b",
    ),
    *("a b", "current", "CON", "sample\t", "sample/", "~", "$HOME", "*", "a;b", "none-such", "%2e%2e", "sample\u202e"),
)
BY_INDEX: Sequence[tuple[str, ...]] = (
    ("indexing", "inspect"),
    ("indexing", "verify"),
    ("indexing", "gc"),
    ("indexing", "tune"),
    ("indexing", "delete", "p1"),
    ("search", "query", "words"),
)
BY_VERSION: Sequence[tuple[str, ...]] = (
    ("training", "promote"),
    ("training", "push-to-hub", "ann/reranker"),
)
LISTING: Sequence[tuple[str, ...]] = (
    ("indexing", "list"),
    ("indexing", "inspect", "sample"),
    ("search", "query", "words"),
    ("training", "models"),
    ("training", "jobs"),
    ("training", "rollback"),
)


class Ended(NamedTuple):
    """How a command ended."""

    status: int
    out: str
    err: str
    seconds: float


def prepare(folder: Path) -> None:
    """Load the three programs' command lines once."""
    for program in PROGRAMS:
        importlib.import_module(f"{program}.__main__")


def faults(random: Random) -> Iterator[Fault]:
    """Every number option with values that are none; words that no argument may be; names; environments."""
    for words, option in _number_options():
        for value in random.sample(NUMBERS, NUMBERS_SHARE):
            yield Fault(f"{' '.join(words)} {option} {_shown(value)}", _refused([*words, f"{option}={value}"], option))
    for command in _commands():
        for word in WORDS:
            yield Fault(f"{' '.join(command)} {_shown(word)}", _refused([*command, word], "Argument"))
        unknown = f"--{random.choice(('dpth', 'indx', 'no-such', 'jsno'))}"
        yield Fault(f"{' '.join(command)} {unknown}", _refused([*command, unknown, "5"]))
    for name in NAMES:
        for words in BY_INDEX:
            yield Fault(f"{' '.join(words)} --index {_shown(name)}", _refused([*words, f"--index={name}"]))
        for words in BY_VERSION:
            yield Fault(f"{' '.join(words)} {_shown(name)}", _refused([*words, "--", name]))
    for kind, make in HOMES.items():
        for words in LISTING:
            yield Fault(f"{' '.join(words)} where SECOND_LOOK_HOME is {kind}", _in_a_strange_home(words, make))


def _number_options() -> Iterator[tuple[tuple[str, ...], str]]:
    for words, parser in _parsers():
        for action in parser._actions:
            numeric = action.type in (int, float) or getattr(action.type, "__module__", "") == "indexing.cli.numbers"
            if numeric and action.option_strings and action.help != argparse.SUPPRESS and action.nargs is None:
                yield words, action.option_strings[-1]


def _commands() -> Iterator[tuple[str, ...]]:
    for words, _ in _parsers():
        yield words


def _parsers() -> Iterator[tuple[tuple[str, ...], argparse.ArgumentParser]]:
    """Every command that takes no further command, with the words that lead to it."""

    def walk(words: tuple[str, ...], parser: argparse.ArgumentParser) -> Iterator[Any]:
        groups = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
        for group in groups:
            for name, command in group.choices.items():
                yield from walk((*words, name), command)
        if not groups:
            yield words, parser

    for program in PROGRAMS:
        yield from walk((program,), sys.modules[f"{program}.__main__"].parser())


def _refused(words: Sequence[str], *mentions: str) -> Callable[[Path], None]:
    def run(folder: Path) -> None:
        os.environ["SECOND_LOOK_HOME"] = str(folder)
        ended = _ended(words)
        if ended.status != 2:
            raise WrongAnswerError(f"ended with {ended.status}: {ended.out[-200:]} {ended.err[-200:]}")
        _check_sentence(ended, mentions)
        if any(folder.iterdir()):
            raise WrongAnswerError(f"left {sorted(path.name for path in folder.iterdir())}")

    return run


def _in_a_strange_home(words: Sequence[str], make: Callable[[Path], str]) -> Callable[[Path], None]:
    def run(folder: Path) -> None:
        os.environ["SECOND_LOOK_HOME"] = make(folder)
        ended = _ended(words)
        if ended.status == 2:
            _check_sentence(ended, ())
        elif ended.status != 0 or ended.err:
            raise WrongAnswerError(f"ended with {ended.status}: {ended.err[-300:]}")

    return run


def _check_sentence(ended: Ended, mentions: Sequence[str]) -> None:
    sentence = ended.err.strip()
    if not sentence or "\n" in sentence or len(sentence) > LONGEST or "Traceback" in sentence:
        raise WrongAnswerError(f"said, in {len(sentence)} characters: {sentence[:400]}")
    for mention in mentions:
        if mention not in sentence:
            raise WrongAnswerError(f"didn't name {mention!r}: {sentence[:300]}")
    if ended.seconds > SECONDS:
        raise WrongAnswerError(f"took {ended.seconds:.1f} s")


def _ended(words: Sequence[str]) -> Ended:
    """Run a command line here; a heavy library that it would load raises."""
    for name in [name for name in sys.modules if name.partition(".")[0] in HEAVY]:
        del sys.modules[name]
    sys.meta_path.insert(0, _NothingHeavy())
    out, err, begun = io.StringIO(), io.StringIO(), time.process_time()
    with redirect_stdout(out), redirect_stderr(err):
        try:
            status = sys.modules[f"{words[0]}.__main__"].main(list(words[1:]))
        except SystemExit as ended:
            status = int(ended.code or 0)
    return Ended(status, out.getvalue(), err.getvalue(), time.process_time() - begun)


class _NothingHeavy(MetaPathFinder):
    """Refuses to load a library that takes seconds."""

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> None:  # its signature
        if fullname.partition(".")[0] in HEAVY:
            raise WrongAnswerError(f"would load {fullname} before it refuses")


def _file(folder: Path) -> str:
    (folder / "home").write_text("not a folder", encoding="utf-8")
    return str(folder / "home")


def _fifo(folder: Path) -> str:
    os.mkfifo(folder / "home")
    return str(folder / "home")


def _loop(folder: Path) -> str:
    (folder / "home").symlink_to("home")
    return str(folder / "home")


def _files_in_place_of_folders(folder: Path) -> str:
    for name in ("indexes", "models", "jobs", "corpora", "feedback", "runs"):
        (folder / name).write_text("", encoding="utf-8")
    return str(folder)


HOMES: dict[str, Callable[[Path], str]] = {
    "a file": _file,
    "a FIFO": _fifo,
    "a link to itself": _loop,
    "absent": lambda folder: str(folder / "none/such"),
    "a name of 5,000 characters": lambda folder: str(folder / ("x" * 5000)),
    "no UTF-8": lambda folder: str(folder) + "/caf\udce9",
    "a folder of files": _files_in_place_of_folders,
    "/dev/null": lambda _: "/dev/null",
    "/proc/1": lambda _: "/proc/1",
}


def _shown(value: str) -> str:
    return repr(value if len(value) < 40 else f"{value[:10]}… of {len(value):,}")
