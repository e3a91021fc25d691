"""When work has to be done."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Deadline:
    """When reading stops; None never."""

    at: float | None = None
    clock: Callable[[], float] = time.monotonic

    @classmethod
    def after(cls, seconds: float | None, *, clock: Callable[[], float] = time.monotonic) -> "Deadline":
        """So many seconds from now."""
        return cls(None if seconds is None else clock() + seconds, clock)

    @property
    def left(self) -> float:
        """Seconds until then, 0 or more; infinite without one."""
        return math.inf if self.at is None else max(self.at - self.clock(), 0.0)

    def part(self, share: float) -> "Deadline":
        """One that comes after this share of the time that is left."""
        if self.at is None:
            return self
        return Deadline(self.clock() + share * self.left, self.clock)

    def allows(self, seconds: float) -> bool:
        """Whether work of this length would be done in time."""
        return self.at is None or self.clock() + seconds <= self.at
