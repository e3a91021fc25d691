"""What a check of a case has at hand: the case's folder, a home of its own, and the program's commands."""

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from tests.support.forked import call_forked

LIMIT = 240.0  # seconds of one command
PROGRAMS = ("indexing", "search", "training")


class Completed(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str
    seconds: float

    @property
    def said(self) -> str:
        """All that it printed."""
        return f"{self.out}\n{self.err}"


@dataclass(frozen=True)
class Case:
    """One case while it is checked."""

    folder: Path
    """The input: never written to."""
    home: Path
    """An empty folder, the commands' SECOND_LOOK_HOME, for all that is made."""

    def command(self, *arguments: str | Path) -> Completed:
        """Run `python -m PROGRAM ...` in a forked process.

        Raises:
            AssertionError: it hung, was killed, or printed a traceback.
        """
        words = [str(argument) for argument in arguments]
        assert words[0] in PROGRAMS, f"{words[0]} is none of {PROGRAMS}"
        ended = call_forked(lambda: _main(words, self.home), limit=LIMIT)
        shown = " ".join(words)
        assert not ended.hung, f"{shown} took over {LIMIT:g} s"
        assert not ended.signal, f"{shown} was killed by signal {ended.signal}: {ended.err[-500:]}"
        assert ended.error is None, f"{shown}: {ended.trace}"
        assert "Traceback" not in ended.err, f"{shown}: {ended.err[-2000:]}"
        return Completed(ended.result, ended.out, ended.err, ended.seconds)

    def done(self, *arguments: str | Path) -> Completed:
        """Run a command that must succeed."""
        completed = self.command(*arguments)
        assert completed.code == 0, f"{' '.join(map(str, arguments))} ended with {completed.code}: {completed.err}"
        return completed

    def refused(self, *arguments: str | Path, mentions: Sequence[str] = ()) -> str:
        """Run a command that must be refused in a sentence with all of `mentions`; give back stderr's last line."""
        completed = self.command(*arguments)
        assert completed.code == 2, f"{' '.join(map(str, arguments))} ended with {completed.code}: {completed.said}"
        sentence = completed.err.strip().splitlines()[-1]
        for mention in mentions:
            assert mention in sentence, f"{mention!r} isn't in: {sentence}"
        return sentence

    def build(self, *options: str | Path, corpus: Path | None = None, index: str = "case") -> Completed:
        """Build an index of the case's folder, or of `corpus`."""
        return self.done("indexing", "build", "--corpus", corpus or self.folder, "--index", index, *options)

    def ids(self, query: str, *options: str | Path, index: str = "case") -> list[str]:
        """The passages of a query's final list, best first."""
        arguments = ("--index", index, "--json", *options)
        answer = json.loads(self.done("search", "query", query, *arguments).out)
        return [row["id"] for row in final_rows(answer)]

    def evaluation(self, *options: str | Path, index: str = "case") -> tuple[dict[str, Any], Completed]:
        """What `training evaluate --json` printed, and how it ended."""
        completed = self.done("training", "evaluate", "--index", index, "--json", *options)
        return json.loads(completed.out), completed


def final_rows(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows of the list that a search's JSON gives as final."""
    rows: list[dict[str, Any]] = answer["final"]
    return rows


def _main(words: Sequence[str], home: Path) -> int:
    from importlib import import_module

    os.environ["SECOND_LOOK_HOME"] = str(home)
    try:
        return int(import_module(f"{words[0]}.__main__").main(list(words[1:])))
    except SystemExit as stop:  # argparse's refusal
        return int(stop.code or 0)


@dataclass(frozen=True)
class Check:
    """A case's check, and what makes an input of its kind."""

    name: str
    """The folder's name; a folder of this name is checked."""
    make: Callable[[Path], None]
    """Writes an input of the same kind into an empty folder."""
    check: Callable[[Case], None]
    """Raises AssertionError where what must happen didn't."""


@dataclass
class Checks:
    """The checks of one module, each added by a decorator."""

    checks: dict[str, Check] = field(default_factory=dict)

    def add(
        self, name: str, make: Callable[[Path], None]
    ) -> Callable[[Callable[[Case], None]], Callable[[Case], None]]:
        """Add a check of the case `name`."""

        def keep(check: Callable[[Case], None]) -> Callable[[Case], None]:
            assert name not in self.checks, f"{name} has two checks"
            self.checks[name] = Check(name, make, check)
            return check

        return keep
