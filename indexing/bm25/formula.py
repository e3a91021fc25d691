"""Lucene's BM25 formula (Kamphuis et al. 2020), in one place for building, searching, tuning and explaining.

A passage's score is the sum over the query's terms of idf * tf / (tf + norm), where
idf = ln(1 + (N - df + 0.5) / (df + 0.5)) and norm = k1 * (1 - b + b * length / mean length).
"""

import numpy as np
from numpy.typing import NDArray

from indexing.bm25.settings import Bm25Settings
from indexing.records import Floats, Rows

Lengths = NDArray[np.int64] | NDArray[np.int32]
"""(passages,): terms of each passage, repeats included."""


def inverse_frequency(frequencies: NDArray[np.int64], *, passages: int) -> NDArray[np.float64]:
    """The idf of terms, (terms,) float64, from how many of the `passages` hold each one."""
    return np.asarray(np.log(1 + (passages - frequencies + 0.5) / (frequencies + 0.5)))


def mean_length(lengths: Lengths) -> float:
    """Average number of terms per passage; 1 if no passage has any, so that it can be a divisor."""
    return float(lengths.mean()) if lengths.any() else 1.0


def length_norms(lengths: Lengths, settings: Bm25Settings, *, mean: float) -> NDArray[np.float64]:
    """The norms of passages of these lengths, (passages,) float64; `mean` is the mean length of the whole index."""
    return np.asarray(settings.k1 * (1 - settings.b + settings.b * lengths / mean), dtype=np.float64)


def best_rows(scores: Floats, *, depth: int) -> Rows:
    """Rows, unsorted, of the `depth` highest scores above 0 and of all that tie with the last of them."""
    if len(scores) > depth:
        edge = np.partition(scores, len(scores) - depth)[len(scores) - depth]
        rows = np.flatnonzero(scores >= max(edge, np.finfo(np.float32).tiny))
    else:
        rows = np.flatnonzero(scores > 0)
    return rows.astype(np.int64)  # (rows,); more than `depth` if there are ties
