"""BM25 over analyzed passages by `bm25s` (fast, memory-mapped) or `rank-bm25` (plain, slow), with the same formula."""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import bm25s
import numpy as np
from numba import njit
from numpy.typing import NDArray
from rank_bm25 import BM25Okapi

from indexing.bm25.formula import best_rows, inverse_frequency, length_norms, mean_length
from indexing.bm25.settings import Bm25Settings
from indexing.records import Floats, Rows


class Bm25(Protocol):
    """Scores the passages of an index for one query."""

    def scores(self, terms: Sequence[str]) -> Floats:
        """BM25 of each passage by row, (passages,) float32; 0 where no term occurs."""

    def search(self, terms: Sequence[str], *, depth: int) -> tuple[Rows, Floats]:
        """Rows and scores, unsorted, of the `depth` best above 0 and of all that tie with the last of them."""


class Bm25s:
    """BM25 by bm25s: term scores are computed by the build, memory-mapped, and added up by a compiled loop."""

    def __init__(self, index: bm25s.BM25) -> None:
        self._terms: dict[str, int] = index.vocab_dict
        self._starts, self._rows, self._scores = (
            np.asarray(index.scores[part]) for part in ("indptr", "indices", "data")
        )
        self._passages = int(index.scores["num_docs"])
        self._workspace = threading.local()

    @classmethod
    def open(cls, folder: Path) -> "Bm25s":
        """Map a saved index."""
        return cls(bm25s.BM25.load(str(folder), mmap=True))

    def scores(self, terms: Sequence[str]) -> Floats:
        """BM25 of each passage by row, (passages,) float32; 0 where no term occurs."""
        total = np.zeros(self._passages, dtype=np.float32)  # (passages,) float32
        _add_up(self._starts, self._rows, self._scores, self._numbers(terms), total, np.empty(len(total), np.int32))
        return total

    def search(self, terms: Sequence[str], *, depth: int) -> tuple[Rows, Floats]:
        """Rows and scores of the best `depth`; the time grows with the terms' postings, not with the passages."""
        total, touched = self._arrays()
        count = _add_up(self._starts, self._rows, self._scores, self._numbers(terms), total, touched)
        rows = touched[:count]
        scores = total[rows]  # (touched,) float32
        total[rows] = 0
        best = best_rows(scores, depth=depth)
        return rows[best].astype(np.int64), scores[best]

    def _numbers(self, terms: Sequence[str]) -> NDArray[np.int64]:
        return np.array([self._terms[term] for term in terms if term in self._terms], dtype=np.int64)

    def _arrays(self) -> tuple[Floats, NDArray[np.int32]]:
        """This thread's buffers: scores, all 0 between searches, and the rows that a search touches."""
        if not hasattr(self._workspace, "arrays"):
            self._workspace.arrays = np.zeros(self._passages, np.float32), np.empty(self._passages, np.int32)
        arrays: tuple[Floats, NDArray[np.int32]] = self._workspace.arrays
        return arrays


@njit(nogil=True, cache=True)
def _add_up(
    starts: NDArray[np.int64],
    rows: NDArray[np.int32],
    scores: Floats,
    terms: NDArray[np.int64],
    total: Floats,
    touched: NDArray[np.int32],
) -> int:
    """Add each term's scores to `total`, record the rows that were 0 before in `touched`, and return their number."""
    count = 0
    for term in terms:
        for place in range(starts[term], starts[term + 1]):
            row = rows[place]
            if total[row] == 0 and scores[place] > 0:
                touched[count] = row
                count += 1
            total[row] += scores[place]
    return count


class RankBm25(BM25Okapi):  # type: ignore[misc]  # rank-bm25 has no types
    """BM25 by rank-bm25, in memory: nothing is stored on disk, so it is made from the passages at every start."""

    def __init__(self, analyzed: Sequence[Sequence[str]], settings: Bm25Settings) -> None:
        self._settings = settings
        super().__init__(analyzed, k1=settings.k1, b=settings.b)

    def _calc_idf(self, nd: dict[str, int]) -> None:
        """Use Lucene's idf instead of Okapi's."""
        frequencies = np.array(list(nd.values()), dtype=np.int64)  # (terms,)
        weights = inverse_frequency(frequencies, passages=self.corpus_size)  # (terms,) float64
        self.idf.update(zip(nd, weights.tolist(), strict=True))

    def scores(self, terms: Sequence[str]) -> Floats:
        """BM25 of each passage by row, (passages,) float32; goes through every passage for each term."""
        lengths = np.array(self.doc_len, dtype=np.int64)  # (passages,)
        norms = length_norms(lengths, self._settings, mean=mean_length(lengths))  # (passages,) float64
        total = np.zeros(self.corpus_size)
        for term in terms:
            if term in self.idf:
                counts = np.array([document.get(term, 0) for document in self.doc_freqs], dtype=np.float64)
                total += self.idf[term] * np.divide(counts, counts + norms, out=np.zeros_like(total), where=counts > 0)
        return np.asarray(total, dtype=np.float32)  # (passages,) float32

    def search(self, terms: Sequence[str], *, depth: int) -> tuple[Rows, Floats]:
        """Rows and scores, unsorted, of the `depth` best above 0 and of all that tie with the last of them."""
        scores = self.scores(terms)
        rows = best_rows(scores, depth=depth)
        return rows, scores[rows]
