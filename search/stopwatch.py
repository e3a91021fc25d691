"""Seconds of each stage of a search, in the order in which the stages ran."""

import time
from collections.abc import Mapping


class Stopwatch:
    """Runs from its creation; each lap ends where the next one starts."""

    def __init__(self, seconds: Mapping[str, float] | None = None) -> None:
        """Start; `seconds` are the times of earlier stages, which later laps add to."""
        self._seconds = dict(seconds or {})
        self._start = time.perf_counter()

    @property
    def seconds(self) -> dict[str, float]:
        """Seconds by stage so far."""
        return dict(self._seconds)

    def lap(self, stage: str) -> None:
        """Add the time since the last lap to a stage."""
        now = time.perf_counter()
        self._seconds[stage] = self._seconds.get(stage, 0.0) + now - self._start
        self._start = now

    def add(self, seconds: Mapping[str, float]) -> None:
        """Take over times that something else measured since the last lap, which ends here."""
        for stage, time_taken in seconds.items():
            self._seconds[stage] = self._seconds.get(stage, 0.0) + time_taken
        self._start = time.perf_counter()
