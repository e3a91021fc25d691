"""Vectors on disk are found by row, across shards and in the order asked, and read block by block."""

from pathlib import Path

import numpy as np
import pytest

from indexing.dense.vectors import VectorStore, check_finite, save_shard
from indexing.errors import ModelError
from indexing.records import Floats

VECTORS = np.arange(20, dtype=np.float16).reshape(10, 2)  # row r holds 2r and 2r + 1


@pytest.fixture
def store(tmp_path: Path) -> VectorStore:
    for number, (start, end) in enumerate([(0, 4), (4, 5), (5, 10)]):
        np.save(tmp_path / f"{number:05}.npy", VECTORS[start:end])
    return VectorStore(tmp_path)


def test_rows_come_in_the_order_asked_from_any_shard(store: VectorStore) -> None:
    rows = np.array([9, 0, 4, 5, 3, 0])
    assert (len(store), store.dim) == (10, 2)
    assert store.rows(rows).tolist() == VECTORS[rows].tolist()
    assert store.rows(rows).dtype == np.float32


def test_no_rows_are_no_vectors(store: VectorStore) -> None:
    assert store.rows(np.array([], dtype=np.int64)).shape == (0, 2)


@pytest.mark.parametrize(
    ("rows", "sizes"), [(1, [1] * 10), (3, [3, 3, 3, 1]), (5, [5, 5]), (10, [10]), (99, [10])], ids=str
)
def test_blocks_hold_all_in_order_and_the_rest_last(store: VectorStore, rows: int, sizes: list[int]) -> None:
    blocks = [block.copy() for block in store.blocks(rows)]  # a block is written over by the next
    assert [len(block) for block in blocks] == sizes
    assert np.concatenate(blocks).tolist() == VECTORS.tolist()
    assert {block.dtype for block in blocks} == {np.dtype(np.float32)}


def test_a_sample_is_drawn_without_repeats_in_the_order_of_rows(store: VectorStore) -> None:
    drawn = [row[0] / 2 for row in store.sample(6, seed=3).tolist()]
    assert len(drawn) == 6
    assert drawn == sorted(set(drawn))
    assert set(drawn) <= set(range(10))


def test_a_sample_is_the_same_for_the_same_seed_only(store: VectorStore) -> None:
    assert store.sample(5, seed=1).tolist() == store.sample(5, seed=1).tolist()
    assert store.sample(5, seed=1).tolist() != store.sample(5, seed=2).tolist()


def test_a_sample_larger_than_the_store_is_all_of_it(store: VectorStore) -> None:
    assert store.sample(99, seed=0).tolist() == VECTORS.tolist()


def test_a_store_without_shards_holds_nothing(tmp_path: Path) -> None:
    store = VectorStore(tmp_path)
    assert (len(store), store.dim, list(store.blocks()), len(store.sample(5, seed=0))) == (0, 0, [], 0)


def test_vectors_are_saved_in_half_precision(tmp_path: Path) -> None:
    save_shard(tmp_path / "00000.npy", np.array([[0.6, 0.8], [1, 0]], dtype=np.float32))
    saved = np.load(tmp_path / "00000.npy", allow_pickle=False)
    assert saved.dtype == np.float16
    assert VectorStore(tmp_path).rows(np.array([0]))[0] == pytest.approx([0.6, 0.8], abs=2**-11)  # half a last place


def broken(row: int, value: float) -> Floats:
    vectors = np.full((4, 2), 0.5, dtype=np.float32)
    vectors[row] = value
    return vectors


@pytest.mark.parametrize(
    ("value", "length"), [(0.0, "length 0.0"), (float("nan"), "length nan"), (float("inf"), "length inf")]
)
def test_a_vector_that_is_zero_or_not_finite_is_refused_with_its_row(tmp_path: Path, value: float, length: str) -> None:
    with pytest.raises(ModelError, match=f"Vector 2 of 4 has {length}"):
        check_finite(broken(2, value))
    with pytest.raises(ModelError, match="Vector 2 of 4"):
        save_shard(tmp_path / "00000.npy", broken(2, value))
    assert not (tmp_path / "00000.npy").exists()


def test_finite_vectors_of_any_length_above_zero_pass() -> None:
    check_finite(np.array([[1e-6, 0], [3, 4]], dtype=np.float32))
