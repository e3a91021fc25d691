"""FAISS over unit vectors: inner product is cosine. The one module that imports faiss."""

from collections.abc import Iterable
from pathlib import Path

import faiss
import numpy as np

from indexing.errors import IndexingError, SettingsError, first_line
from indexing.records import Floats, Rows

PRESETS = {"flat": "Flat", "sq8": "SQ8", "hnsw": "HNSW32,Flat"}


class DenseIndex:
    """A FAISS index, searched by one query at a time."""

    def __init__(self, index: faiss.Index) -> None:
        self._index = index

    @classmethod
    def build(cls, shards: Iterable[Floats], *, dim: int, preset: str = "flat") -> "DenseIndex":
        """Train on the first shard where the kind needs it, and add every shard of (rows, dim) vectors.

        `preset` is a name of PRESETS or any `faiss.index_factory` string.
        """
        try:
            index = faiss.index_factory(dim, PRESETS.get(preset, preset), faiss.METRIC_INNER_PRODUCT)
        except RuntimeError as error:
            raise SettingsError(
                f"FAISS doesn't know the index {preset!r}; choose {', '.join(PRESETS)} or an index_factory string."
            ) from error
        for vectors in shards:
            block = np.ascontiguousarray(vectors, dtype=np.float32)  # (rows, dim) float32
            try:
                if not index.is_trained:
                    index.train(block)
                index.add(block)
            except RuntimeError as error:
                raise SettingsError(
                    f"FAISS can't make the index {preset!r} of {len(block):,} vectors "
                    f"({first_line(error)}); choose a smaller kind, such as flat."
                ) from error
        return cls(index)

    def save(self, path: Path) -> None:
        """Write FAISS's own format."""
        faiss.write_index(self._index, str(path))

    @classmethod
    def open(cls, path: Path) -> "DenseIndex":
        """Read an index. FAISS's files carry no checksum: check the manifest's first."""
        try:
            return cls(faiss.read_index(str(path)))
        except RuntimeError as error:
            raise IndexingError(f"{path} is no FAISS index that can be read; rebuild it.") from error

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def search(self, vector: Floats, *, depth: int) -> tuple[Rows, Floats]:
        """The nearest rows to one (dim,) vector, best first, with cosines; fewer where it holds fewer."""
        scores, rows = self._index.search(vector.reshape(1, -1), min(depth, max(len(self), 1)))
        found = rows[0] >= 0  # FAISS fills what it didn't find with -1
        return rows[0][found].astype(np.int64), scores[0][found].astype(np.float32)
