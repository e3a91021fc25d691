"""Vectors on disk are found by row, across shards and in the order asked."""

from pathlib import Path

import numpy as np

from indexing.vectors import VectorStore


def test_rows_come_in_the_order_asked_from_any_shard(tmp_path: Path) -> None:
    vectors = np.arange(20, dtype=np.float16).reshape(10, 2)
    for number, (start, end) in enumerate([(0, 4), (4, 5), (5, 10)]):
        np.save(tmp_path / f"{number:05}.npy", vectors[start:end])
    store = VectorStore(tmp_path)
    rows = np.array([9, 0, 4, 5, 3, 0])
    assert len(store) == 10
    assert store.rows(rows).tolist() == vectors[rows].tolist()
    assert store.rows(rows).dtype == np.float32
