"""BM25's formula and settings: what a term of a passage adds to its score."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexing.errors import SettingsError
from indexing.records import Floats, Rows

BACKENDS = ("bm25s", "rank-bm25")


@dataclass(frozen=True)
class Bm25Settings:
    """How BM25 weighs terms."""

    k1: float = 0.9
    """Saturation of repeated terms, 0 to 10."""
    b: float = 0.4
    """Weight of the passage's length, 0 to 1."""
    backend: str = "bm25s"
    """`bm25s` or `rank-bm25`."""

    def __post_init__(self) -> None:
        if not 0 <= self.k1 <= 10:
            raise SettingsError(f"BM25's k1 is {self.k1}; give a number from 0 to 10 (usual: 0.9).")
        if not 0 <= self.b <= 1:
            raise SettingsError(f"BM25's b is {self.b}; give a number from 0 to 1 (usual: 0.4).")
        if self.backend not in BACKENDS:
            raise SettingsError(f"BM25 backend {self.backend!r} is unknown; choose one of {', '.join(BACKENDS)}.")


PRESETS: Mapping[str, tuple[float, float]] = {"msmarco-dev": (0.82, 0.68), "trec-dl": (0.9, 0.4)}
"""k1 and b as Pyserini sets them for MS MARCO passages: tuned on dev queries, and as for TREC DL."""


def inverse_frequency(frequencies: NDArray[np.int64], *, passages: int) -> NDArray[np.float64]:
    """Lucene's idf of terms that so many of the passages hold, (terms,) float64."""
    return np.asarray(np.log(1 + (passages - frequencies + 0.5) / (frequencies + 0.5)))


def length_norms(lengths: NDArray[np.int64], settings: Bm25Settings) -> NDArray[np.float64]:
    """k1 * (1 - b + b * length / average length) of each passage, (passages,) float64."""
    mean = lengths.mean() if lengths.any() else 1.0
    return settings.k1 * (1 - settings.b + settings.b * lengths / mean)


def best_rows(scores: Floats, *, depth: int) -> Rows:
    """Rows of the `depth` highest scores above 0, and all that tie with the last of them; not in order."""
    if len(scores) > depth:
        edge = np.partition(scores, len(scores) - depth)[len(scores) - depth]
        rows = np.flatnonzero(scores >= max(edge, np.finfo(np.float32).tiny))
    else:
        rows = np.flatnonzero(scores > 0)
    return rows.astype(np.int64)  # (>= depth where ties,)
