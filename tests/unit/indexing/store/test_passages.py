"""Passages on disk are found by row and by id, across shards; their digest adds up over shards."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from indexing.records import Passage, PassageId
from indexing.store.ids import Hashes, HashIds, IdTable, id_hashes, write_ids
from indexing.store.passages import PassageStore, digest, shard_ids, write_passages

ALL = [Passage(PassageId(f"p{number}"), f"text {number}", "title" if number % 2 else "") for number in range(8)]


def write(folder: Path, *shards: Sequence[Passage], hashes: HashIds = id_hashes) -> PassageStore:
    """A store of these shards with its table of ids."""
    (folder / "passages").mkdir()
    for number, content in enumerate(shards):
        write_passages(folder / "passages" / f"{number:05}.arrow", content)
    write_ids(folder / "ids", shard_ids(folder / "passages"), hashes=hashes)
    return PassageStore(folder / "passages", IdTable(folder / "ids", hashes=hashes))


@pytest.fixture
def store(tmp_path: Path) -> PassageStore:
    return write(tmp_path, ALL[:3], ALL[3:4], ALL[4:])


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


def test_an_id_is_in_the_store_or_not(store: PassageStore) -> None:
    assert "p0" in store
    assert "p7" in store
    assert "p99" not in store
    assert "" not in store
    assert 7 not in store  # a row is no id


def test_ids_that_share_a_hash_are_told_apart_by_comparing(tmp_path: Path) -> None:
    def by_length(ids: Sequence[str]) -> Hashes:
        return np.array([len(name) for name in ids], dtype=np.uint64)

    store = write(tmp_path, ALL[:5], ALL[5:], hashes=by_length)  # all ids have 2 characters
    assert [store.row_of(PassageId(f"p{number}")) for number in range(8)] == list(range(8))
    assert "q0" not in store
    with pytest.raises(KeyError):
        store.row_of(PassageId("q0"))


def test_the_ids_of_each_shard_come_apart(tmp_path: Path) -> None:
    write(tmp_path, ALL[:3], ALL[3:4], ALL[4:])
    assert list(shard_ids(tmp_path / "passages")) == [["p0", "p1", "p2"], ["p3"], ["p4", "p5", "p6", "p7"]]


def test_a_shard_longer_than_one_batch_is_whole(tmp_path: Path) -> None:
    many = [Passage(PassageId(str(number)), "x") for number in range(10_005)]  # Arrow batches hold 10,000
    store = write(tmp_path, many)
    assert [store.id_at(row) for row in (0, 9_999, 10_000, 10_004)] == ["0", "9999", "10000", "10004"]
    assert [passage.id for passage in store] == [passage.id for passage in many]


def test_the_same_passages_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one.arrow", "two.arrow"):
        write_passages(tmp_path / name, ALL)
    assert (tmp_path / "one.arrow").read_bytes() == (tmp_path / "two.arrow").read_bytes()


def test_the_digest_of_one_passage_is_blake2b_over_id_title_and_text() -> None:
    content = Passage(PassageId("7"), "A text.", "Its title")
    expected = hashlib.blake2b(b"7\0Its title\0A text.", digest_size=16).hexdigest()
    assert f"{digest([content]):032x}" == expected


def test_digests_of_shards_add_up_to_that_of_all_in_any_order() -> None:
    parts = digest(ALL[:3]) + digest(ALL[3:4]) + digest(ALL[4:])
    assert parts % 2**128 == digest(ALL) == digest(reversed(ALL))


@pytest.mark.parametrize(
    "other",
    [
        Passage(PassageId("1"), "b", "a"),
        Passage(PassageId("1"), "ab"),
        Passage(PassageId("1"), "", "ab"),
        Passage(PassageId("1a"), "b"),
    ],
)
def test_the_digest_tells_id_title_and_text_apart(other: Passage) -> None:
    assert digest([other]) != digest([Passage(PassageId("1"), "a", "b")])


def test_a_passage_twice_has_another_digest_than_once_or_never() -> None:
    assert len({digest([]), digest(ALL[:1]), digest([ALL[0], ALL[0]])}) == 3
