"""Asks tests.fork_server for processes that build or train, and are killed: its libraries are loaded once for all."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Attempt:
    """How a process ended, and what it did until then."""

    code: int
    """0, or minus the signal that ended it."""
    moments: list[str]
    """Of a build."""
    steps: list[int]
    """Of a training."""
    encoded: int
    """Passages."""
    error: str


class Forks:
    """A process that forks another for each request."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def begin(self, what: str, **request: Any) -> None:
        """Start a process: a build, a training or a job of either, as tests.fork_server reads it."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"what": what, **request}) + "\n")
        self._process.stdin.flush()

    def end(self) -> Attempt:
        """Wait for the process that was started."""
        assert self._process.stdout is not None
        return Attempt(**json.loads(self._process.stdout.readline()))


@contextmanager
def forking(bi_encoder: Path, root: Path) -> Iterator[Forks]:
    """Such a process, while the block runs; it works in `root`, the repository."""
    command = [sys.executable, "-m", "tests.support.fork_server", str(bi_encoder)]
    with subprocess.Popen(
        command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        yield Forks(process)
        assert process.stdin is not None
        process.stdin.close()
