"""How far a long computation is: one callback, and its bars on a terminal."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm

Phase = Callable[[str, int, int], None]
"""Called with what is done, queries or examples done since the last call, and those in all, 0 where nobody knows."""
SMOOTHING = 0.05  # the rate of about the last twenty reports, as short and long passages take turns


class Bars:
    """One progress bar for each phase of a build."""

    def __init__(self, total: int | None = None) -> None:
        self._bars: dict[str, tqdm[None]] = {}
        self._total = total

    def __call__(self, phase: str, passages: int) -> None:
        """Show that so many more passages are done in a phase."""
        if phase not in self._bars:
            self._bars[phase] = tqdm(
                desc=f"{phase:>7}",
                unit=" passages",
                total=self._total,
                dynamic_ncols=True,
                mininterval=0.5,
                smoothing=SMOOTHING,
            )
        self._bars[phase].update(passages)

    def close(self) -> None:
        """Leave each bar on its line."""
        for bar in self._bars.values():
            bar.refresh()
            bar.close()


@contextmanager
def timed() -> Iterator[Callable[[], float]]:
    """Yield a function that gives the seconds since the block began."""
    begun = time.perf_counter()
    yield lambda: time.perf_counter() - begun
