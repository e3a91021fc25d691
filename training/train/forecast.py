"""The forecast of a training, as it is kept and shown; nothing heavy is imported."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from training.recipes.row_counts import RowCounts

QUERIES = 200  # of each source, whose examples are gathered for a forecast


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """What is known before a training begins. All but the rows is an estimate."""

    rows: list[dict[str, Any]]
    """The first ones."""
    counts: RowCounts
    """Of the queries that were gathered."""
    steps: int
    pairs: int
    """(query, passage) pairs to be seen."""
    passes: float | None
    """Times that each row is seen; None where it isn't known how many there will be."""
    seconds: Mapping[str, float]
    """By what takes them: gathering, training, evaluating. At the machine's present speed, whatever else runs."""
    memory: float
    """Bytes, on the device that trains."""
    free: float
    """Bytes that this device has free now."""
