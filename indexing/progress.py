"""Reports how far a long computation is: one callback for the whole house, and its bars on a terminal."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Self, TextIO

if TYPE_CHECKING:
    from tqdm import tqdm

Progress = Callable[[str, int, int], None]
"""Called with a phase, how much of it was done since the last call, and its total, or 0 where that is unknown."""
SMOOTHING = 0.05  # the rate of about the last twenty reports, as short and long passages alternate
LINE_EVERY = 5.0  # seconds between two lines of a phase in a log


def silent(phase: str, count: int, total: int) -> None:
    """Report nothing."""


def relabel(progress: Progress, phase: str, *, total: int | None = None) -> Progress:
    """The same reports under another phase and, where one is given, with another total."""
    return lambda _, count, reported: progress(phase, count, reported if total is None else total)


@dataclass(frozen=True)
class PhaseProgress:
    """How far one phase is."""

    phase: str = ""
    """Empty before the first report."""
    count: int = 0
    total: int = 0
    """0 where it is unknown."""

    def add(self, phase: str, count: int, total: int) -> "PhaseProgress":
        """The state after this report, which begins a phase where its name or total is new, or the last one is full."""
        full = 0 < self.total <= self.count
        same = (phase, total) == (self.phase, self.total) and not full
        return PhaseProgress(phase, count + self.count if same else count, total)


class Bars:
    """One bar per phase on a terminal; elsewhere, as in a log, a plain line every few seconds.

    A bar stays on its line when its phase is complete, and when the block ends, however it ends.
    """

    def __init__(
        self,
        unit: str,
        *,
        total: int = 0,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`total` is that of phases which report none; `unit` is what is counted, such as `passages` or `bytes`."""
        self._unit, self._total, self._stream, self._clock = unit, total, stream, clock
        self._bars: dict[str, tqdm[None] | _Lines] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __call__(self, phase: str, count: int, total: int) -> None:
        """Show that this many more are done."""
        bar = self._bars.get(phase)
        if bar is None or bar.total != (total or self._total or None) or 0 < total <= bar.n:
            bar = self._open(phase, total or self._total, self._unit)
        bar.update(count)

    def show(self, phase: str, position: int, total: int, *, unit: str, note: str = "") -> None:
        """Show that a phase, which may have begun in an earlier process, has come to this position."""
        bar = self._bars.get(phase)
        if bar is None or bar.total != (total or None) or position < bar.n:
            bar = self._open(phase, total, unit, initial=max(position - 1, 0))
        bar.set_postfix_str(note, refresh=False)
        bar.update(position - bar.n)

    def close(self) -> None:
        """Leave each bar on its line."""
        for phase in list(self._bars):
            self._close(phase)

    def _open(self, phase: str, total: int, unit: str, *, initial: int = 0) -> "tqdm[None] | _Lines":
        for earlier, bar in list(self._bars.items()):
            if earlier == phase or (bar.total is not None and bar.n >= bar.total):
                self._close(earlier)
        stream = self._stream or sys.stderr
        if not stream.isatty():
            self._bars[phase] = _Lines(phase, unit, total or None, initial=initial, stream=stream, clock=self._clock)
            return self._bars[phase]
        from tqdm import tqdm

        self._bars[phase] = tqdm(
            desc=phase,
            unit="B" if unit == "bytes" else f" {unit}",
            unit_scale=unit == "bytes",
            total=total or None,
            initial=initial,
            file=stream,
            dynamic_ncols=True,
            mininterval=0.5,
            smoothing=SMOOTHING,
        )
        return self._bars[phase]

    def _close(self, phase: str) -> None:
        self._bars.pop(phase).close()


class _Lines:
    """The lines of one phase in a log; used as tqdm's bars are."""

    def __init__(
        self, phase: str, unit: str, total: int | None, *, initial: int, stream: TextIO, clock: Callable[[], float]
    ) -> None:
        self.n, self.total = initial, total
        self._unit, self._scale = ("MB", 10**6) if unit == "bytes" else (unit, 1)
        self._phase, self._stream, self._clock = phase, stream, clock
        self._initial, self._note = initial, ""
        self._begun = self._printed = clock()

    def set_postfix_str(self, note: str, *, refresh: bool) -> None:
        """Add a note to the lines that follow."""
        del refresh
        self._note = note

    def update(self, count: int) -> None:
        """Count, and print a line if the last one was long enough ago."""
        self.n += count
        if self._clock() - self._printed >= LINE_EVERY:
            self._printed = self._clock()
            seconds = self._printed - self._begun
            rate = (self.n - self._initial) / seconds
            left = f", {span(max(self.total - self.n, 0) / rate)} left" if self.total and rate else ""
            self._print(f", {rate / self._scale:,.1f} {self._unit}/s{left}")

    def close(self) -> None:
        """Print how far the phase came, and how long it took."""
        self._print(f" in {span(self._clock() - self._begun)}")

    def _print(self, more: str) -> None:
        of = f" of {self._number(self.total)}" if self.total else ""
        note = f", {self._note}" if self._note else ""
        print(f"{self._phase}: {self._number(self.n)}{of} {self._unit}{more}{note}", file=self._stream, flush=True)

    def _number(self, count: int) -> str:
        return f"{count / self._scale:,.1f}" if self._scale > 1 else f"{count:,}"


def span(seconds: float) -> str:
    """A duration in words, such as `40 s`, `12 min` or `3.5 h`."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


@contextmanager
def timed() -> Iterator[Callable[[], float]]:
    """Yield a function that returns the seconds since the block began."""
    begun = time.perf_counter()
    yield lambda: time.perf_counter() - begun
