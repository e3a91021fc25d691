"""BM25 with any k1 and b, from an index's postings: the scores of an index built with those values."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
from numba import njit
from numpy.typing import NDArray

from indexing.bm25.formula import best_rows, inverse_frequency, length_norms, mean_length
from indexing.bm25.postings import Postings, TermPostings
from indexing.bm25.settings import Bm25Settings
from indexing.records import Floats, Rows


class PostingsBm25:
    """Scores passages directly from the postings, which are opened at first use."""

    def __init__(self, folder: Path) -> None:
        """`folder` holds the postings of every shard."""
        self._folder = folder

    def __len__(self) -> int:
        """Number of passages, including those without terms."""
        return len(self._postings)

    @cached_property
    def mean_length(self) -> float:
        """Average number of terms per passage, repeats included; 1 if no passage has any."""
        return mean_length(self._lengths)

    def find(self, term: str) -> TermPostings:
        """The passages that hold a term; empty if none does."""
        return self._postings.find(term)

    def matches(self, terms: Sequence[str]) -> "Matches":
        """The passages that hold any of a query's terms, ready to be scored with one or several pairs of k1 and b."""
        return Matches(self._postings, terms, self._lengths, mean=self.mean_length)

    def search(self, terms: Sequence[str], settings: Bm25Settings, *, depth: int) -> tuple[Rows, Floats]:
        """Rows and scores, unsorted, of the `depth` best above 0 and of all that tie with the last of them."""
        return self.matches(terms).search(settings, depth=depth)

    @cached_property
    def _postings(self) -> Postings:
        return Postings(self._folder)

    @cached_property
    def _lengths(self) -> NDArray[np.int32]:
        """Number of terms of each passage, repeats included, (passages,) int32."""
        return self._postings.lengths().astype(np.int32)


class Matches:
    """The passages that hold any of a query's terms; a term that the query repeats counts every time."""

    def __init__(self, postings: Postings, terms: Sequence[str], lengths: NDArray[np.int32], *, mean: float) -> None:
        postings_of_terms = [postings.find(term) for term in terms]
        sizes = np.array([len(term.rows) for term in postings_of_terms], dtype=np.int64)  # (terms,)
        rows = np.concatenate([np.empty(0, dtype=np.int64), *(term.rows for term in postings_of_terms)])  # (postings,)
        self.rows, self._places = np.unique(rows, return_inverse=True)
        counts = [np.empty(0, dtype=np.int64), *(term.counts for term in postings_of_terms)]
        self._counts = np.concatenate(counts)  # (postings,)
        self._weights = inverse_frequency(sizes, passages=len(postings)).repeat(sizes)  # (postings,) float64
        self._lengths = lengths[self.rows]  # (rows,) int32
        self._mean = mean

    def scores(self, settings: Bm25Settings) -> Floats:
        """BM25 of each of `rows`, (rows,) float32."""
        norms = length_norms(self._lengths, settings, mean=self._mean)
        total = np.zeros(len(self.rows), dtype=np.float32)  # (rows,) float32
        return _add_up(self._places, self._counts, self._weights, norms, total)

    def search(self, settings: Bm25Settings, *, depth: int) -> tuple[Rows, Floats]:
        """Rows and scores, unsorted, of the `depth` best above 0 and of all that tie with the last of them."""
        scores = self.scores(settings)
        best = best_rows(scores, depth=depth)
        return self.rows[best], scores[best]


@njit(nogil=True, cache=True)
def _add_up(
    places: NDArray[np.int64],
    counts: NDArray[np.int64],
    weights: NDArray[np.float64],
    norms: NDArray[np.float64],
    total: Floats,
) -> Floats:
    """Add each posting's score to its passage's total, each rounded to float32 first, as in a built index."""
    for posting in range(len(places)):
        place = places[posting]
        count = float(counts[posting])
        total[place] += np.float32(weights[posting] * count / (count + norms[place]))
    return total
