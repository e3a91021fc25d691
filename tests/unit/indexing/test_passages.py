"""Passages on disk are found by row and by id, across shards."""

from pathlib import Path

import pytest

from indexing.passages import PassageStore, write_shard
from indexing.records import Passage, PassageId

ALL = [Passage(PassageId(f"p{number}"), f"text {number}", "title" if number % 2 else "") for number in range(8)]


@pytest.fixture
def store(tmp_path: Path) -> PassageStore:
    for number, (start, end) in enumerate([(0, 3), (3, 4), (4, 8)]):
        write_shard(tmp_path / f"{number:05}.arrow", ALL[start:end])
    return PassageStore(tmp_path)


def test_rows_count_on_from_shard_to_shard(store: PassageStore) -> None:
    assert [store[row] for row in range(8)] == ALL


def test_a_store_counts_and_gives_all_in_order(store: PassageStore) -> None:
    assert (len(store), list(store)) == (8, ALL)


def test_the_id_of_a_row_and_the_row_of_an_id_agree(store: PassageStore) -> None:
    assert [store.row_of(store.id_at(row)) for row in range(8)] == list(range(8))


@pytest.mark.parametrize("row", [-1, 8])
def test_a_row_outside_is_refused(store: PassageStore, row: int) -> None:
    with pytest.raises(IndexError, match=str(row)):
        store[row]


def test_an_unknown_id_is_refused(store: PassageStore) -> None:
    with pytest.raises(KeyError):
        store.row_of(PassageId("p99"))


def test_a_shard_longer_than_one_batch_is_whole(tmp_path: Path) -> None:
    many = [Passage(PassageId(str(number)), "x") for number in range(10_005)]  # Arrow batches hold 10,000
    write_shard(tmp_path / "00000.arrow", many)
    store = PassageStore(tmp_path)
    assert [store.id_at(row) for row in (0, 9_999, 10_000, 10_004)] == ["0", "9999", "10000", "10004"]
    assert [passage.id for passage in store] == [passage.id for passage in many]
