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

    def at(self, phase: str, done: int, total: int, *, note: str = "", unit: str = "") -> None:
        """Show that `done` of `total`, or of a number that isn't known at 0, are done in this phase."""
        bar = self._same(phase, total)
        if bar is None:
            self.close()
            counted = f" {unit or self._unit}"
            bar = tqdm(desc=phase, total=total or None, unit=counted, dynamic_ncols=True, mininterval=0.5)
            self._phase, self._bar = phase, bar
        bar.set_postfix_str(note, refresh=False)
        bar.update(done - bar.n)

    def more(self, phase: str, done: int, total: int, *, unit: str = "") -> None:
        """Show that `done` more are done."""
        bar = self._same(phase, total)
        self.at(phase, done + (bar.n if bar is not None else 0), total, unit=unit)

    def _same(self, phase: str, total: int) -> "tqdm[None] | None":
        """The bar that is shown, where it is this phase's; two phases of one name follow on each other by total."""
        same = self._bar is not None and phase == self._phase and self._bar.total == (total or None)
        return self._bar if same else None

    def close(self) -> None:
        """Leave the bar on its line."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None
