"""BM25's settings: which back end computes it, and how it weights terms."""

from collections.abc import Mapping
from dataclasses import dataclass

from indexing.errors import SettingsError
from indexing.typed_json import check_types

BACKENDS = ("bm25s", "rank-bm25")


@dataclass(frozen=True)
class Bm25Settings:
    """BM25's parameters and back end."""

    k1: float = 0.9
    """Saturation of repeated terms, 0 to 10."""
    b: float = 0.4
    """Weight of the passage's length, 0 to 1."""
    backend: str = "bm25s"
    """`bm25s` or `rank-bm25`."""

    def __post_init__(self) -> None:
        check_types(self)
        if not 0 <= self.k1 <= 10:
            raise SettingsError(f"BM25's k1 is {self.k1}; give a number from 0 to 10 (usual: 0.9).")
        if not 0 <= self.b <= 1:
            raise SettingsError(f"BM25's b is {self.b}; give a number from 0 to 1 (usual: 0.4).")
        if self.backend not in BACKENDS:
            raise SettingsError(f"BM25 backend {self.backend!r} is unknown; choose one of {', '.join(BACKENDS)}.")


PRESETS: Mapping[str, tuple[float, float]] = {"msmarco-dev": (0.82, 0.68), "trec-dl": (0.9, 0.4)}
"""Pyserini's k1 and b for MS MARCO passages: those tuned on the dev queries, and those it uses for TREC DL."""
