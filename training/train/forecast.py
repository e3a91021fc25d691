"""The forecast of a training as stored and shown; imports nothing heavy."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from training.recipes.row_counts import RowCounts

QUERIES = 200  # of each source; their examples are gathered for a forecast


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """What can be known before a training begins. All but `rows` and `counts` are estimates."""

    rows: list[dict[str, Any]]
    """The first rows."""
    counts: RowCounts
    """Of the rows gathered for the forecast."""
    steps: int
    pairs: int
    """(query, passage) pairs that the training will see."""
    passes: float | None
    """Times that each row is seen; None if the number of rows isn't known."""
    seconds: Mapping[str, float]
    """By activity (gathering, training, evaluating), at the machine's present speed under its present load."""
    memory: float
    """Bytes needed on the device that trains."""
    free: float
    """Bytes free on that device now."""
