"""BM25 with any k1 and b, from an index's postings: the scores that an index built with these would have."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
from numba import njit
from numpy.typing import NDArray

from indexing.bm25.formula import Bm25Settings, best_rows, inverse_frequency
from indexing.bm25.postings import Postings
from indexing.records import Floats, Rows


class FoundTerms:
    """The passages that hold some of a query's terms, scored straight from the postings with any k1 and b."""

    def __init__(self, postings: Postings, terms: Sequence[str]) -> None:
        found = [postings.find(term) for term in terms]
        sizes = np.array([len(term.rows) for term in found], dtype=np.int64)  # (terms,)
        rows = np.concatenate([np.empty(0, dtype=np.int64), *(term.rows for term in found)])  # (postings,)
        self.rows, self._place = np.unique(rows, return_inverse=True)
        self._counts = np.concatenate([np.empty(0, dtype=np.int64), *(term.counts for term in found)])
        self._weights = inverse_frequency(sizes, passages=len(postings)).repeat(sizes)  # (postings,)

    def scores(self, norms: NDArray[np.float64]) -> Floats:
        """BM25 of each of `rows`, (rows,) float32; `norms` are those of every passage."""
        parts = self._weights * self._counts / (self._counts + norms[self.rows][self._place])
        return np.bincount(self._place, weights=parts, minlength=len(self.rows)).astype(np.float32)


class PostingsBm25:
    """Scores the passages that hold a term of the query; the postings are opened when first asked."""

    def __init__(self, folder: Path) -> None:
        """`folder` holds the postings of every shard."""
        self._folder = folder

    def search(self, terms: Sequence[str], settings: Bm25Settings, *, depth: int) -> tuple[Rows, Floats]:
        """Rows and scores of the best `depth` above 0, and of all that tie with the last; not in order."""
        found = [self._postings.find(term) for term in terms]
        sizes = np.array([len(term.rows) for term in found], dtype=np.int64)  # (terms,)
        weights = inverse_frequency(sizes, passages=len(self._postings))  # (terms,) float64
        rows, places = np.unique(
            np.concatenate([np.empty(0, dtype=np.int64), *(term.rows for term in found)]), return_inverse=True
        )
        counts = np.concatenate([np.empty(0, dtype=np.int64), *(term.counts for term in found)])  # (postings,)
        norms = self._norms(rows, settings)
        scores = _add_up(places, counts, weights.repeat(sizes), norms, np.zeros(len(rows), dtype=np.float32))
        best = best_rows(scores, depth=depth)
        return rows[best], scores[best]

    def _norms(self, rows: Rows, settings: Bm25Settings) -> NDArray[np.float64]:
        """As `length_norms`, of some passages."""
        lengths = self._lengths[rows]  # (rows,) int32
        return np.asarray(settings.k1 * (1 - settings.b + settings.b * lengths / self._mean), dtype=np.float64)

    @cached_property
    def _postings(self) -> Postings:
        return Postings(self._folder)

    @cached_property
    def _lengths(self) -> NDArray[np.int32]:
        """Terms of each passage, (passages,) int32."""
        return self._postings.lengths().astype(np.int32)

    @cached_property
    def _mean(self) -> float:
        return float(self._lengths.mean()) if self._lengths.any() else 1.0


@njit(nogil=True, cache=True)
def _add_up(
    places: NDArray[np.int64],
    counts: NDArray[np.int64],
    weights: NDArray[np.float64],
    norms: NDArray[np.float64],
    total: Floats,
) -> Floats:
    """Add each posting's score to its passage's, rounded to float32 one by one as those of a built index are."""
    for posting in range(len(places)):
        place = places[posting]
        count = float(counts[posting])
        total[place] += np.float32(weights[posting] * count / (count + norms[place]))
    return total
