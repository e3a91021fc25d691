"""How long the processes of one training have worked on it, noted in its folder as they go."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec

from indexing import atomic

NOTE = "minutes.json"
EVERY = 30.0  # seconds between two notes: a process that is stopped or killed loses no more
Told = ParamSpec("Told")


class Spent:
    """The time of this process, and of those that worked in the same folder before it."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / NOTE
        self._before = float(json.loads(self._path.read_text(encoding="utf-8"))) if self._path.is_file() else 0.0
        self._begun = self._noted = time.monotonic()

    @property
    def minutes(self) -> float:
        """Of all of them, until now."""
        return self._before + (time.monotonic() - self._begun) / 60

    def beside(self, tell: Callable[Told, None]) -> Callable[Told, None]:
        """What does as `tell` does, and notes the time now and then."""

        def both(*args: Told.args, **named: Told.kwargs) -> None:
            if time.monotonic() - self._noted >= EVERY:
                self._noted = time.monotonic()
                atomic.write_json(self._path, self.minutes)
            tell(*args, **named)

        return both
