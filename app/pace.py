"""How long a search takes here, by those before it: so much for the first stage, and so much for each passage read."""

from collections import deque
from statistics import median

from search.trace import SearchTrace

READING = ("tokenize", "re-rank")
"""The stages of a search that take longer the more passages are re-ranked."""
KEPT = 20  # searches
FEWEST = 5  # passages read; of fewer, what a call costs at least would be taken for the time of each


class Pace:
    """What the last searches of one pipeline took. Whoever searches holds the models' lock."""

    def __init__(self) -> None:
        self._first_stage: deque[float] = deque(maxlen=KEPT)  # seconds
        self._passage: deque[float] = deque(maxlen=KEPT)  # seconds

    def observe(self, trace: SearchTrace, *, read: int) -> None:
        """Take the times of an answer for which the re-ranker read so many passages anew."""
        reading = sum(trace.seconds.get(stage, 0.0) for stage in READING)
        self._first_stage.append(sum(trace.seconds.values()) - reading)
        if read >= FEWEST:
            self._passage.append(reading / read)

    def predict(self, passages: int) -> float | None:
        """Seconds of a new search that re-ranks so many passages; None while nothing was measured."""
        if not self._first_stage or not self._passage:
            return None
        return median(tuple(self._first_stage)) + passages * median(tuple(self._passage))
