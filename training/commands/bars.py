"""Progress on a terminal: one bar at a time, closed however the work ends."""

from types import TracebackType
from typing import Self

from tqdm import tqdm


class Bars:
    """One progress bar at a time, a new one whenever the phase changes."""

    def __init__(self, unit: str) -> None:
        self._unit = unit
        self._phase = ""
        self._bar: tqdm[None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def at(self, phase: str, done: int, total: int, *, note: str = "") -> None:
        """Show that `done` of `total` are done in this phase."""
        if phase != self._phase or self._bar is None:
            self.close()
            self._phase = phase
            self._bar = tqdm(desc=phase, total=total, unit=f" {self._unit}", dynamic_ncols=True, mininterval=0.5)
        self._bar.set_postfix_str(note, refresh=False)
        self._bar.update(done - self._bar.n)

    def more(self, phase: str, done: int, total: int) -> None:
        """Show that `done` more are done."""
        start = self._bar.n if self._bar is not None and phase == self._phase else 0
        self.at(phase, start + done, total)

    def close(self) -> None:
        """Leave the bar on its line."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None
