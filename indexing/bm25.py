"""BM25 over analysed passages, by `bm25s` (fast, memory-mapped) or `rank-bm25` (plain, slow): one formula.

Both score as Lucene does (Kamphuis et al. 2020): idf = ln(1 + (N - df + 0.5) / (df + 0.5)) and
tf / (tf + k1 * (1 - b + b * length / average length)), summed over the query's terms.
"""

import math
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import bm25s
import numpy as np
from numba import njit
from numpy.typing import NDArray
from rank_bm25 import BM25Okapi

from indexing.errors import SettingsError
from indexing.postings import Postings
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


class Bm25(Protocol):
    """Scores the passages of an index for one query."""

    def scores(self, terms: Sequence[str]) -> Floats:
        """BM25 of each passage by row, (passages,) float32; 0 where no term occurs."""

    def search(self, terms: Sequence[str], *, depth: int) -> tuple[Rows, Floats]:
        """Rows and scores of the best `depth` above 0, and of all that tie with the last; not in order."""


class Bm25s:
    """BM25 by bm25s: scores of terms computed when built, memory-mapped when opened, added up by a compiled loop."""

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
        """As Bm25 says."""
        total = np.zeros(self._passages, dtype=np.float32)  # (passages,) float32
        _add_up(self._starts, self._rows, self._scores, self._numbers(terms), total, np.empty(len(total), np.int32))
        return total

    def search(self, terms: Sequence[str], *, depth: int) -> tuple[Rows, Floats]:
        """As Bm25 says. Work grows with the postings of the query's terms, not with the passages."""
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
        """This thread's own: scores, all 0 between searches, and room for the rows that a search touches."""
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
    """Add each term's scores to `total`, note the rows that were 0 before, and give back how many those are."""
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
    """BM25 by rank-bm25, kept in memory and made anew from the passages at every start."""

    def __init__(self, analyzed: Sequence[Sequence[str]], settings: Bm25Settings) -> None:
        super().__init__(analyzed, k1=settings.k1, b=settings.b)

    def _calc_idf(self, nd: dict[str, int]) -> None:
        """Lucene's idf in place of Okapi's."""
        for term, count in nd.items():
            self.idf[term] = math.log(1 + (self.corpus_size - count + 0.5) / (count + 0.5))

    def scores(self, terms: Sequence[str]) -> Floats:
        """As Bm25 says."""
        lengths = np.array(self.doc_len) / (self.avgdl or 1.0)  # (passages,), 1 is the average
        norms = self.k1 * (1 - self.b + self.b * lengths)  # (passages,)
        total = np.zeros(self.corpus_size)
        for term in terms:
            if term in self.idf:
                counts = np.array([document.get(term, 0) for document in self.doc_freqs], dtype=np.float64)
                total += self.idf[term] * np.divide(counts, counts + norms, out=np.zeros_like(total), where=counts > 0)
        return np.asarray(total, dtype=np.float32)  # (passages,) float32

    def search(self, terms: Sequence[str], *, depth: int) -> tuple[Rows, Floats]:
        """As Bm25 says."""
        scores = self.scores(terms)
        rows = best_rows(scores, depth=depth)
        return rows, scores[rows]


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


def best_rows(scores: Floats, *, depth: int) -> Rows:
    """Rows of the `depth` highest scores above 0, and all that tie with the last of them; not in order."""
    if len(scores) > depth:
        edge = np.partition(scores, len(scores) - depth)[len(scores) - depth]
        rows = np.flatnonzero(scores >= max(edge, np.finfo(np.float32).tiny))
    else:
        rows = np.flatnonzero(scores > 0)
    return rows.astype(np.int64)  # (>= depth where ties,)
