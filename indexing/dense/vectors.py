"""Passage vectors on disk: float16 shards, memory-mapped, read by row or block by block."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexing.disk import write_array
from indexing.errors import ModelError
from indexing.manifest import broken
from indexing.records import Floats, Rows
from indexing.store.arrays import map_array

SAMPLED = 64  # vectors that are looked at when an index is opened
ROUNDING = 0.05  # by which a unit vector's length may differ from 1 after rounding to float16
BLOCK = 32_768  # rows read at once: 50 MB of 384 dimensions


def save_shard(path: Path, vectors: Floats) -> None:
    """Write (rows, dim) unit vectors as float16. Raises ModelError if one is zero or not finite."""
    check_finite(vectors)
    write_array(path, vectors.astype(np.float16))


def check_finite(vectors: Floats) -> None:
    """Raise ModelError if a row of (rows, dim) is zero or not finite: its cosine would be undefined."""
    lengths = np.linalg.norm(vectors, axis=1)  # (rows,)
    bad = np.flatnonzero(~np.isfinite(lengths) | (lengths == 0))
    if len(bad):
        raise ModelError(
            f"Vector {bad[0]} of {len(vectors)} has length {lengths[bad[0]]}; the bi-encoder's weights are broken, "
            "choose another with --bi-encoder."
        )


class VectorStore:
    """The unit vectors of one index."""

    def __init__(self, folder: Path) -> None:
        self._paths = sorted(folder.glob("*.npy"))
        self._shards = [_mapped(path) for path in self._paths]
        self._folder = folder
        for path, shard in zip(self._paths, self._shards, strict=True):
            if shard.shape[1] != self.dim:
                raise broken(
                    folder.parent, f"{folder.name}/{path.name} has {shard.shape[1]:,} dimensions, not {self.dim}"
                )
        self._starts = np.cumsum([0, *(len(shard) for shard in self._shards)])  # (shards + 1,)

    def __len__(self) -> int:
        return int(self._starts[-1])

    @property
    def dim(self) -> int:
        """Length of a vector; 0 without vectors."""
        return int(self._shards[0].shape[1]) if self._shards else 0

    def rows(self, rows: Rows) -> Floats:
        """The vectors of these rows, (rows, dim) float32, in the same order."""
        vectors = np.empty((len(rows), self.dim), dtype=np.float32)  # (rows, dim) float32
        shards = np.searchsorted(self._starts, rows, side="right") - 1
        for shard in np.unique(shards):
            here = np.flatnonzero(shards == shard)
            vectors[here] = self._shards[shard][rows[here] - self._starts[shard]]
        if not np.isfinite(vectors).all():
            raise broken(self._folder.parent, f"a vector in {self._folder.name}/ isn't finite")
        return vectors

    def check_sample(self, count: int = SAMPLED) -> None:
        """Raise IndexingError unless `count` vectors, spread evenly, are finite and of unit length."""
        chosen = (
            np.unique(np.linspace(0, len(self) - 1, count).astype(np.int64)) if len(self) else np.empty(0, np.int64)
        )
        lengths = np.linalg.norm(self.rows(chosen), axis=1)  # (sampled,)
        if len(lengths) and float(np.abs(lengths - 1).max()) > ROUNDING:
            raise broken(self._folder.parent, f"a vector in {self._folder.name}/ isn't of unit length")

    def blocks(self, rows: int = BLOCK) -> Iterator[Floats]:
        """All vectors in order, `rows` at a time (the last block may be shorter), (<= rows, dim) float32.

        Each shard is mapped only while it is read, so that its pages don't stay in the process's memory. Each
        block overwrites the one before it; copy a block to keep it.
        """
        block = np.empty((rows, self.dim), dtype=np.float32)  # (rows, dim) float32
        filled = 0
        for path in self._paths:
            shard, start = _mapped(path), 0
            while start < len(shard):
                taken = min(rows - filled, len(shard) - start)
                block[filled : filled + taken] = shard[start : start + taken]
                start, filled = start + taken, filled + taken
                if filled == rows:
                    yield block
                    filled = 0
        if filled:
            yield block[:filled]

    def sample(self, count: int, *, seed: int) -> Floats:
        """`count` vectors drawn without replacement, in row order; all of them if there are fewer."""
        chosen = np.sort(np.random.default_rng(seed).choice(len(self), size=min(count, len(self)), replace=False))
        bounds = np.searchsorted(chosen, self._starts)  # (shards + 1,)
        parts = [
            np.asarray(_mapped(path)[chosen[bounds[number] : bounds[number + 1]] - self._starts[number]], np.float32)
            for number, path in enumerate(self._paths)
        ]
        return np.concatenate([np.empty((0, self.dim), dtype=np.float32), *parts])


def _mapped(path: Path) -> NDArray[np.float16]:
    return map_array(path, np.float16, dimensions=2)
