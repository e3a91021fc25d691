"""Repeated ids are found in bounded memory, and rows are found by id though hashes collide."""

import subprocess
import sys
import tracemalloc
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from indexing.errors import IndexingError
from indexing.store.ids import LAST_INT32_ROW, Hashes, IdTable, SeenIds, _row_type, id_hashes, write_ids
from tests.conftest import REPOSITORY


def by_length(ids: Sequence[str]) -> Hashes:
    """A hash that collides for all ids of one length."""
    return np.array([len(name) for name in ids], dtype=np.uint64)


def test_hashes_are_the_same_in_every_version() -> None:
    # printf 7 | b2sum --length 64 gives the bytes e7 50 17 ca ce 78 8f 82; the lowest comes first
    assert [hex(value) for value in id_hashes(["7", "é"]).tolist()] == ["0x828f78ceca1750e7", "0x2f19f3ef8bbf1acb"]
    assert id_hashes(["7"]).dtype == np.uint64


def test_hashes_are_the_same_in_every_process() -> None:
    code = "from indexing.store.ids import id_hashes; print(id_hashes(['7', 'msmarco_passage_01_2']).tolist())"
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(id_hashes(["7", "msmarco_passage_01_2"]).tolist())


def test_no_ids_have_no_hashes() -> None:
    assert id_hashes([]).tolist() == []


def test_an_id_that_is_half_a_surrogate_pair_is_only_absent(tmp_path: Path) -> None:
    write_ids(tmp_path, [["7"]])
    assert IdTable(tmp_path).candidates("\ud800").tolist() == []


def test_an_id_is_seen_once_it_was_given() -> None:
    seen = SeenIds()
    assert seen.repeats(["a", "b"]) == [False, False]
    assert seen.repeats(["c", "b", "a"]) == [False, True, True]


def test_an_id_that_is_given_twice_in_one_call_is_seen_the_second_time() -> None:
    assert SeenIds().repeats(["a", "b", "a", "a"]) == [False, False, True, True]


@pytest.mark.parametrize("size", [1, 3, 10])
@pytest.mark.parametrize("recent", [1, 2, 7, 1000])
def test_seen_ids_are_those_of_a_set_however_they_are_merged(recent: int, size: int) -> None:
    rng = np.random.default_rng(3)
    ids = [str(number) for number in rng.integers(300, size=600)]
    seen, met, found, expected = SeenIds(recent=recent), set(), [], []
    for start in range(0, len(ids), size):
        found += seen.repeats(ids[start : start + size])
    for name in ids:
        expected.append(name in met)
        met.add(name)
    assert found == expected


def test_an_id_larger_than_every_merged_one_is_not_seen() -> None:
    seen = SeenIds(hashes=by_length, recent=1)
    seen.repeats(["a", "bb"])
    assert seen.repeats(["cccc", "bb"]) == [False, True]


def test_ids_that_share_a_hash_are_taken_for_repeats() -> None:
    # as the docstring says, with its odds for the real hash
    assert SeenIds(hashes=by_length).repeats(["aa", "bb", "c"]) == [False, True, False]


def test_seen_ids_need_8_bytes_each_and_a_bounded_remainder() -> None:
    seen = SeenIds(recent=1_000)
    seen.repeats(["warm"])
    tracemalloc.start()
    for start in range(0, 200_000, 1_000):
        seen.repeats([f"a long id of a passage {number}" for number in range(start, start + 1_000)])
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert 8 * 200_000 <= held < 10 * 200_000  # a set of these strings holds 120 bytes each


def test_a_row_is_found_by_its_id_over_all_shards(tmp_path: Path) -> None:
    assert write_ids(tmp_path, [["p5", "p1"], ["p3"], ["p2", "p4"]]) == 5
    table = IdTable(tmp_path)
    assert len(table) == 5
    assert {name: table.candidates(name).tolist() for name in ("p1", "p2", "p3", "p4", "p5", "p6", "")} == {
        "p1": [1],
        "p2": [3],
        "p3": [2],
        "p4": [4],
        "p5": [0],
        "p6": [],
        "": [],
    }


def test_ids_that_share_a_hash_are_all_candidates_in_order_of_rows(tmp_path: Path) -> None:
    write_ids(tmp_path, [["bb", "a", "cc"], ["dd"] * 20], hashes=by_length)
    table = IdTable(tmp_path, hashes=by_length)
    assert table.candidates("xx").tolist() == [0, 2, *range(3, 23)]
    assert table.candidates("x").tolist() == [1]
    assert table.candidates("xxx").tolist() == []


def test_every_row_of_many_is_found(tmp_path: Path) -> None:
    ids = [f"msmarco_passage_{number * 7919}" for number in range(3_000)]
    write_ids(tmp_path, [ids[:1_000], ids[1_000:]])
    table = IdTable(tmp_path)
    assert [table.candidates(name).tolist() for name in ids] == [[row] for row in range(3_000)]


def test_candidates_are_int64_and_the_file_holds_4_bytes_a_row(tmp_path: Path) -> None:
    write_ids(tmp_path, [["a", "b"]])
    assert IdTable(tmp_path).candidates("b").dtype == np.int64
    assert np.load(tmp_path / "rows.npy").dtype == np.int32


def test_rows_take_8_bytes_from_where_4_no_longer_hold_them() -> None:
    assert np.iinfo(np.int32).max == LAST_INT32_ROW
    assert _row_type(2**31) is np.int32  # rows 0 to 2**31 - 1
    assert _row_type(2**31 + 1) is np.int64


def test_hashes_on_disk_ascend(tmp_path: Path) -> None:
    write_ids(tmp_path, [[str(number) for number in range(100)]])
    hashes = np.load(tmp_path / "hashes.npy")
    assert hashes.dtype == np.uint64
    assert hashes.tolist() == sorted(id_hashes([str(number) for number in range(100)]).tolist())


def test_a_table_of_no_ids_finds_nothing(tmp_path: Path) -> None:
    assert write_ids(tmp_path, []) == 0
    assert IdTable(tmp_path).candidates("a").tolist() == []


def test_a_table_is_written_in_24_bytes_an_id(tmp_path: Path) -> None:
    count = 200_000
    tracemalloc.start()
    write_ids(tmp_path, ([str(row) for row in range(start, start + 1_000)] for start in range(0, count, 1_000)))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 25 * count


def test_a_table_that_is_absent_is_told_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(IndexingError, match="Rebuild it: python -m indexing build"):
        IdTable(tmp_path)


@pytest.mark.parametrize("content", [b"", b"no array", b"\x93NUMPY"])
def test_a_table_that_is_broken_is_told(tmp_path: Path, content: bytes) -> None:
    write_ids(tmp_path, [["a", "b"]])
    (tmp_path / "hashes.npy").write_bytes(content)
    with pytest.raises(IndexingError, match=r"hashes\.npy can't be read"):
        IdTable(tmp_path)


@pytest.mark.parametrize(
    ("array", "told"),
    [
        (np.zeros(3, np.uint64), "3 hashes and 2 rows"),
        (np.zeros(2, np.int64), "int64 of 1 dimensions in place of uint64"),
        (np.zeros((1, 2), np.uint64), "uint64 of 2 dimensions"),
    ],
)
def test_a_table_whose_files_do_not_belong_together_is_told(tmp_path: Path, array: NDArray[Any], told: str) -> None:
    write_ids(tmp_path, [["a", "b"]])
    np.save(tmp_path / "hashes.npy", array)
    with pytest.raises(IndexingError, match=told):
        IdTable(tmp_path)
