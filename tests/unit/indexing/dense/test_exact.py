"""Exact search gives the rows that sorting every cosine gives, whatever the blocks and shards."""

from pathlib import Path

import numpy as np
import pytest

from indexing.dense import vectors as module
from indexing.dense.exact import TorchExact, exact_search
from indexing.dense.vectors import VectorStore, save_shard
from indexing.records import Floats

DIM = 8


def unit_vectors(count: int, *, seed: int) -> Floats:
    vectors = np.random.default_rng(seed).normal(size=(count, DIM)).astype(np.float32)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


@pytest.fixture
def store(tmp_path: Path) -> VectorStore:
    """50 vectors in shards of 20, 1 and 29."""
    vectors = unit_vectors(50, seed=0)
    for number, (start, end) in enumerate([(0, 20), (20, 21), (21, 50)]):
        save_shard(tmp_path / f"{number:05}.npy", vectors[start:end])
    return VectorStore(tmp_path)


def by_sorting(store: VectorStore, query: Floats, *, depth: int) -> list[int]:
    cosines = store.rows(np.arange(len(store))) @ query
    return [int(row) for row in np.argsort(-cosines)[:depth]]


@pytest.mark.parametrize("depth", [1, 7, 50])
def test_the_nearest_rows_are_those_of_sorting(store: VectorStore, depth: int) -> None:
    queries = unit_vectors(9, seed=1)
    rows = exact_search(store, queries, depth=depth)
    assert (rows.shape, rows.dtype) == ((9, depth), np.dtype(np.int64))
    assert rows.tolist() == [by_sorting(store, query, depth=depth) for query in queries]


@pytest.mark.parametrize("block", [1, 6, 20, 49])
def test_blocks_smaller_than_a_shard_change_nothing(
    store: VectorStore, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module.VectorStore.blocks, "__defaults__", (block,))
    assert len(list(store.blocks())) == -(-50 // block)  # rounded up
    queries = unit_vectors(4, seed=2)
    assert exact_search(store, queries, depth=12).tolist() == [by_sorting(store, query, depth=12) for query in queries]


def test_a_depth_beyond_the_count_gives_every_row_once(store: VectorStore) -> None:
    rows = exact_search(store, unit_vectors(3, seed=3), depth=80)
    assert rows.shape == (3, 50)
    assert [sorted(row) for row in rows.tolist()] == [list(range(50))] * 3


def test_no_queries_have_no_rows(store: VectorStore) -> None:
    assert exact_search(store, np.empty((0, DIM), dtype=np.float32), depth=5).shape == (0, 5)


@pytest.mark.parametrize("depth", [1, 7, 50])
def test_torch_compares_every_vector(store: VectorStore, depth: int) -> None:
    searcher = TorchExact(store, device="cpu")
    for query in unit_vectors(5, seed=4):
        rows, scores = searcher.search(query, depth=depth)
        expected = by_sorting(store, query, depth=depth)
        assert rows.tolist() == expected
        assert scores == pytest.approx(store.rows(np.array(expected)) @ query, abs=1e-6)
    assert (rows.dtype, scores.dtype) == (np.dtype(np.int64), np.dtype(np.float32))


def test_torch_gives_what_it_holds_where_more_is_asked(store: VectorStore) -> None:
    searcher = TorchExact(store, device="cpu")
    rows, scores = searcher.search(unit_vectors(1, seed=5)[0], depth=1000)
    assert (len(searcher), sorted(rows.tolist())) == (50, list(range(50)))
    assert scores.tolist() == sorted(scores.tolist(), reverse=True)


def test_torch_reads_a_store_of_several_blocks(store: VectorStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("indexing.dense.exact.BLOCK", 6)
    query = unit_vectors(1, seed=6)[0]
    assert TorchExact(store, device="cpu").search(query, depth=50)[0].tolist() == by_sorting(store, query, depth=50)
