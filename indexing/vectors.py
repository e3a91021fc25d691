"""Passage vectors on disk: float16 shards, memory-mapped, read by row."""

from pathlib import Path

import numpy as np

from indexing.records import Floats, Rows


class VectorStore:
    """The unit vectors of one index."""

    def __init__(self, folder: Path) -> None:
        self._shards = [np.load(path, mmap_mode="r", allow_pickle=False) for path in sorted(folder.glob("*.npy"))]
        self._starts = np.cumsum([0, *(len(shard) for shard in self._shards)])  # (shards + 1,)

    def __len__(self) -> int:
        return int(self._starts[-1])

    def rows(self, rows: Rows) -> Floats:
        """The vectors of these rows, (rows, dim) float32, in their order."""
        dim = self._shards[0].shape[1]
        found = np.empty((len(rows), dim), dtype=np.float32)  # (rows, dim) float32
        shards = np.searchsorted(self._starts, rows, side="right") - 1
        for shard in np.unique(shards):
            here = np.flatnonzero(shards == shard)
            found[here] = self._shards[shard][rows[here] - self._starts[shard]]
        return found
