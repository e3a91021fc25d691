"""Runs commands in forks of a process with nothing heavy loaded: `python -m tests.support.light < REQUESTS > ANSWERS`.

Requests and answers are lists in JSON. A request has `words`, a module to run or to import and its arguments.
"""

import importlib
import json
import runpy
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tests.support.forked import call_forked

PROGRAMS = ("indexing", "search", "training")
LIMIT = 60.0  # seconds of one command


class Ran(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str
    modules: set[str]
    """Those that were loaded at its end, with their packages."""


def run_light(
    requests: Sequence[Sequence[str]], *, folder: Path, environment: Mapping[str, str]
) -> dict[Sequence[str], Ran]:
    """Run modules with arguments, or import those without any, each in a process of its own."""
    ended = subprocess.run(
        [sys.executable, "-m", "tests.support.light"],
        cwd=folder,
        env=environment,
        input=json.dumps(requests),
        capture_output=True,
        text=True,
        check=True,
    )
    rows = [Ran(row["code"], row["out"], row["err"], set(row["modules"])) for row in json.loads(ended.stdout)]
    return dict(zip(map(tuple, requests), rows, strict=True))


def _do(words: Sequence[str]) -> tuple[int, list[str]]:
    code: Any = 0
    try:
        if len(words) == 1:
            importlib.import_module(words[0])
        else:
            sys.argv = list(words)
            sys.modules.pop(f"{words[0]}.__main__", None)
            runpy.run_module(words[0], run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        code = ended.code
    return int(code or 0), sorted(sys.modules)


def _answer(words: Sequence[str]) -> dict[str, Any]:
    ended = call_forked(lambda: _do(words), limit=LIMIT)
    assert ended.error is None, f"{' '.join(words)}: {ended.trace}"
    assert ended.result is not None, f"{' '.join(words)}: {ended}"
    code, modules = ended.result
    return {"code": code, "out": ended.out, "err": ended.err, "modules": modules}


def main() -> None:
    """Load what all commands do, then run each of them."""
    for program in PROGRAMS:
        importlib.import_module(f"{program}.__main__")
    answers = [_answer(words) for words in json.load(sys.stdin)]
    sys.stdout.write(json.dumps(answers))


if __name__ == "__main__":
    main()
