"""BM25 over analyzed passages by `bm25s` (fast, memory-mapped) or `rank-bm25` (plain, slow), with the same formula."""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numba import njit
from numpy.typing import NDArray
from rank_bm25 import BM25Okapi

from indexing.bm25.build import FILES
from indexing.bm25.formula import best_rows, inverse_frequency, length_norms, mean_length
from indexing.bm25.settings import Bm25Settings
from indexing.manifest import broken
from indexing.records import Floats, Rows
from indexing.store.arrays import check_rising, map_array, read_json


class Bm25(Protocol):
    """Scores the passages of an index for one query."""

    def __len__(self) -> int:
        """Number of passages, including those without terms."""

    def scores(self, terms: Sequence[str]) -> Floats:
        """BM25 of each passage by row, (passages,) float32; 0 where no term occurs."""

    def search(self, terms: Sequence[str], *, depth: int) -> tuple[Rows, Floats]:
        """Rows and scores, unsorted, of the `depth` best above 0 and of all that tie with the last of them."""


class Bm25s:
    """BM25 by bm25s: term scores are computed by the build, memory-mapped, and added up by a compiled loop."""

    def __init__(self, folder: Path, settings: Bm25Settings | None = None) -> None:
        """Map the files of `build_bm25`; `settings` are those it was built with, where they are known.

        Raises:
            IndexingError: a file can't be read, or holds what the compiled loop mustn't trust.
        """
        scores, rows, starts, vocabulary, parameters = (folder / name for name in FILES)
        self._folder = folder
        self._scores: Floats = map_array(scores, np.float32)
        self._rows: NDArray[np.int32] = map_array(rows, np.int32)
        self._starts: NDArray[np.int64] = map_array(starts, np.int64)
        check_rising(starts, self._starts, end=min(len(self._rows), len(self._scores)))
        self._terms = self._read_vocabulary(vocabulary)
        self._passages = self._read_parameters(parameters, settings)
        self._workspace = threading.local()

    @classmethod
    def open(cls, folder: Path, settings: Bm25Settings | None = None) -> "Bm25s":
        """Map a saved index."""
        return cls(folder, settings)

    def __len__(self) -> int:
        """Number of passages, including those without terms."""
        return self._passages

    def _read_vocabulary(self, path: Path) -> dict[str, int]:
        """Each term's number. Raises IndexingError for a number without postings: the compiled loop would read on."""
        terms = read_json(path)
        numbers = terms.values()
        if len(terms) != len(self._starts) - 1 or set(map(type, numbers)) - {int}:
            raise broken(path.parent.parent, f"{path.name} doesn't number {len(self._starts) - 1:,} terms")
        if terms and not (min(numbers) >= 0 and max(numbers) < len(terms)):
            raise broken(path.parent.parent, f"{path.name} numbers a term beyond its {len(terms):,}")
        return terms

    def _read_parameters(self, path: Path, settings: Bm25Settings | None) -> int:
        """The number of passages. Raises IndexingError if k1 and b aren't those of `settings`."""
        values = read_json(path)
        passages = values.get("num_docs")
        if type(passages) is not int or not 0 <= passages < 2**31:
            raise broken(path.parent.parent, f"{path.name} lacks the number of passages")
        if settings is not None and (values.get("k1"), values.get("b")) != (settings.k1, settings.b):
            raise broken(
                path.parent.parent,
                f"{path.name} says k1={values.get('k1')} and b={values.get('b')}, the manifest {settings.k1} and "
                f"{settings.b}",
            )
        return passages

    def scores(self, terms: Sequence[str]) -> Floats:
        """BM25 of each passage by row, (passages,) float32; 0 where no term occurs."""
        total = np.zeros(self._passages, dtype=np.float32)  # (passages,) float32
        self._add_up(terms, total, np.empty(len(total), np.int32))
        return total

    def search(self, terms: Sequence[str], *, depth: int) -> tuple[Rows, Floats]:
        """Rows and scores of the best `depth`; the time grows with the terms' postings, not with the passages."""
        total, touched = self._arrays()
        count = self._add_up(terms, total, touched)
        rows = touched[:count]
        scores = total[rows]  # (touched,) float32
        total[rows] = 0
        best = best_rows(scores, depth=depth)
        return rows[best].astype(np.int64), scores[best]

    def _add_up(self, terms: Sequence[str], total: Floats, touched: NDArray[np.int32]) -> int:
        count = _add_up(self._starts, self._rows, self._scores, self._numbers(terms), total, touched)
        if count < 0:
            self._workspace.__dict__.pop("arrays", None)  # they hold part of a sum
            raise broken(self._folder.parent, f"{self._folder.name}/ holds a passage or a score that can't be")
        return int(count)

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
    """Add each term's scores to `total`, record the rows that were 0 before in `touched`, and return their number.

    -1 for a row that `total` lacks, or a score that is negative or not finite.
    """
    count = 0
    for term in terms:
        for place in range(starts[term], starts[term + 1]):
            row = rows[place]
            if not (0 <= row < len(total) and 0 <= scores[place] < np.inf):
                return -1
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

    def __len__(self) -> int:
        """Number of passages, including those without terms."""
        return int(self.corpus_size)

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
