"""BM25 over analysed passages, by `bm25s` (fast, memory-mapped) or `rank-bm25` (plain, slow): one formula.

Both score as Lucene does (Kamphuis et al. 2020): idf = ln(1 + (N - df + 0.5) / (df + 0.5)) and
tf / (tf + k1 * (1 - b + b * length / average length)), summed over the query's terms.
"""

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import bm25s
import numpy as np
from rank_bm25 import BM25Okapi

from indexing.errors import SettingsError
from indexing.records import Floats, Rows

logging.getLogger("bm25s").setLevel(logging.WARNING)  # it reports every build on stderr
BACKENDS = ("bm25s", "rank-bm25")


@dataclass(frozen=True)
class Bm25Settings:
    """How BM25 weighs terms."""

    k1: float = 0.9
    """Saturation of repeated terms, 0 to 10. Pyserini's MS MARCO presets: 0.9 (TREC DL), 0.82 (dev)."""
    b: float = 0.4
    """Weight of the passage's length, 0 to 1. Pyserini's MS MARCO presets: 0.4 (TREC DL), 0.68 (dev)."""
    backend: str = "bm25s"
    """`bm25s` or `rank-bm25`."""

    def __post_init__(self) -> None:
        if not 0 <= self.k1 <= 10:
            raise SettingsError(f"BM25's k1 is {self.k1}; give a number from 0 to 10 (usual: 0.9).")
        if not 0 <= self.b <= 1:
            raise SettingsError(f"BM25's b is {self.b}; give a number from 0 to 1 (usual: 0.4).")
        if self.backend not in BACKENDS:
            raise SettingsError(f"BM25 backend {self.backend!r} is unknown; choose one of {', '.join(BACKENDS)}.")


class Bm25(Protocol):
    """Scores every passage of an index for one query."""

    def scores(self, terms: Sequence[str]) -> Floats:
        """BM25 of each passage by row, (passages,) float32; 0 where no term occurs."""


class Bm25s:
    """BM25 by bm25s: impacts computed when built, memory-mapped when opened."""

    def __init__(self, index: bm25s.BM25) -> None:
        self._index = index

    @classmethod
    def build(cls, analyzed: Sequence[Sequence[str]], settings: Bm25Settings) -> "Bm25s":
        """Index passages given as terms. The same passages give the same bytes."""
        vocabulary: dict[str, int] = {}
        rows = [[vocabulary.setdefault(term, len(vocabulary)) for term in terms] for terms in analyzed]
        nothing = vocabulary.setdefault("", len(vocabulary))  # bm25s wants a vocabulary, even of nothing
        if not any(rows):
            rows = [[nothing] for _ in rows]  # and an average length that isn't 0
        index = bm25s.BM25(k1=settings.k1, b=settings.b, method="lucene")
        index.index((rows, vocabulary), show_progress=False)
        return cls(index)

    def save(self, folder: Path) -> None:
        """Write npy and JSON files."""
        self._index.save(str(folder), show_progress=False)

    @classmethod
    def open(cls, folder: Path) -> "Bm25s":
        """Map a saved index."""
        return cls(bm25s.BM25.load(str(folder), mmap=True))

    def scores(self, terms: Sequence[str]) -> Floats:
        """As Bm25 says."""
        known = [term for term in terms if term in self._index.vocab_dict]
        if not known:
            return np.zeros(self._index.scores["num_docs"], dtype=np.float32)
        return np.asarray(self._index.get_scores(known), dtype=np.float32)  # (passages,) float32


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


def best_rows(scores: Floats, *, depth: int) -> Rows:
    """Rows of the `depth` highest scores above 0, and all that tie with the last of them; not in order."""
    if len(scores) > depth:
        edge = np.partition(scores, len(scores) - depth)[len(scores) - depth]
        rows = np.flatnonzero(scores >= max(edge, np.finfo(np.float32).tiny))
    else:
        rows = np.flatnonzero(scores > 0)
    return rows.astype(np.int64)  # (>= depth where ties,)
