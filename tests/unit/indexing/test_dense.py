"""FAISS gives the nearest rows, and never a row that isn't there."""

from pathlib import Path

import numpy as np
import pytest

from indexing.dense import PRESETS, DenseIndex
from indexing.errors import IndexingError, SettingsError
from indexing.records import Floats

DIM = 8


def unit_vectors(count: int, *, seed: int = 0) -> Floats:
    vectors = np.random.default_rng(seed).normal(size=(count, DIM)).astype(np.float32)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


def test_scores_are_cosines_best_first() -> None:
    vectors = unit_vectors(50)
    rows, scores = DenseIndex.build([vectors], dim=DIM).search(vectors[7], depth=5)
    cosines = vectors @ vectors[7]
    assert rows.tolist() == np.argsort(-cosines)[:5].tolist()
    assert scores == pytest.approx(np.sort(cosines)[::-1][:5], abs=1e-6)


def test_rows_count_on_from_shard_to_shard() -> None:
    vectors = unit_vectors(30)
    rows, _ = DenseIndex.build([vectors[:10], vectors[10:]], dim=DIM).search(vectors[25], depth=1)
    assert rows.tolist() == [25]


@pytest.mark.parametrize("preset", PRESETS)
def test_asking_for_more_than_there_is_gives_each_row_once(preset: str) -> None:
    rows, scores = DenseIndex.build([unit_vectors(5)], dim=DIM, preset=preset).search(unit_vectors(1)[0], depth=100)
    assert sorted(rows.tolist()) == [0, 1, 2, 3, 4]
    assert scores.shape == (5,)


def test_rows_that_faiss_did_not_find_are_left_out() -> None:
    # 4 clusters of which one is looked at: FAISS fills the other places with -1
    index = DenseIndex.build([unit_vectors(160)], dim=DIM, preset="IVF4,Flat")
    rows, scores = index.search(unit_vectors(1, seed=1)[0], depth=160)
    assert 0 < len(rows) < 160
    assert (rows >= 0).all()
    assert len(scores) == len(rows)


def test_an_empty_index_finds_nothing() -> None:
    rows, scores = DenseIndex.build([], dim=DIM).search(unit_vectors(1)[0], depth=3)
    assert (rows.tolist(), scores.tolist()) == ([], [])


def test_a_saved_index_finds_the_same(tmp_path: Path) -> None:
    index = DenseIndex.build([unit_vectors(40)], dim=DIM)
    index.save(tmp_path / "dense.faiss")
    opened = DenseIndex.open(tmp_path / "dense.faiss")
    assert len(opened) == 40
    assert (
        opened.search(unit_vectors(1)[0], depth=9)[0].tolist() == index.search(unit_vectors(1)[0], depth=9)[0].tolist()
    )


def test_a_file_that_is_no_index_is_named(tmp_path: Path) -> None:
    (tmp_path / "dense.faiss").write_bytes(b"nonsense")
    with pytest.raises(IndexingError, match=r"dense\.faiss"):
        DenseIndex.open(tmp_path / "dense.faiss")


def test_an_unknown_kind_is_refused_with_those_known() -> None:
    with pytest.raises(SettingsError, match="flat, sq8, hnsw"):
        DenseIndex.build([unit_vectors(5)], dim=DIM, preset="flattest")


def test_a_kind_that_cannot_be_trained_on_so_few_passages_is_refused_in_a_sentence() -> None:
    with pytest.raises(SettingsError, match="IVF64,Flat"):
        DenseIndex.build([unit_vectors(5)], dim=DIM, preset="IVF64,Flat")
