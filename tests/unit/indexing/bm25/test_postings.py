"""Postings say which passages hold a term and how often, across shards."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from indexing.bm25.postings import MOST, Postings, ShardPostings, write_postings

PASSAGES = [["cat", "sat"], [], ["cat", "cat", "dog"], ["bird"]]  # rows 0 to 3


def postings(folder: Path, *shards: list[list[str]]) -> Postings:
    for number, content in enumerate(shards):
        write_postings(folder / f"{number:05}.arrow", content)
    return Postings(folder)


def found(held: Postings, term: str) -> dict[int, int]:
    """How often each row holds a term."""
    rows, counts = held.find(term)
    assert {rows.dtype, counts.dtype} == {np.dtype(np.int64)}
    assert rows.tolist() == sorted(set(rows.tolist()))
    return dict(zip(rows.tolist(), counts.tolist(), strict=True))


def test_a_term_is_found_with_its_rows_and_counts(tmp_path: Path) -> None:
    held = postings(tmp_path, PASSAGES)
    assert {term: found(held, term) for term in ("cat", "sat", "dog", "bird")} == {
        "cat": {0: 1, 2: 2},
        "sat": {0: 1},
        "dog": {2: 1},
        "bird": {3: 1},
    }


@pytest.mark.parametrize("term", ["", "a", "catt", "ca", "zebra", "é"])
def test_a_term_that_occurs_nowhere_has_no_rows(tmp_path: Path, term: str) -> None:
    assert found(postings(tmp_path, PASSAGES), term) == {}


def test_rows_count_on_from_shard_to_shard(tmp_path: Path) -> None:
    held = postings(tmp_path, PASSAGES, [["sat"]], [["dog", "cat"], ["dog"]])  # rows 0-3, 4, 5-6
    assert len(held) == 7
    assert found(held, "cat") == {0: 1, 2: 2, 5: 1}
    assert found(held, "dog") == {2: 1, 5: 1, 6: 1}
    assert found(held, "sat") == {0: 1, 4: 1}


def test_lengths_count_repeats_and_passages_without_terms(tmp_path: Path) -> None:
    assert postings(tmp_path, PASSAGES, [[], ["a", "a"]]).lengths().tolist() == [2, 0, 3, 1, 0, 2]


def test_the_passages_of_a_shard_are_counted_with_those_without_terms(tmp_path: Path) -> None:
    held = postings(tmp_path, [["a"], [], []], [[]])
    assert [shard.passages for shard in held.shards] == [3, 1]


@pytest.mark.parametrize("content", [[], [[]], [[], []]])
def test_a_shard_without_terms_holds_none(tmp_path: Path, content: list[list[str]]) -> None:
    held = postings(tmp_path, content)
    assert (len(held), held.lengths().tolist(), found(held, "a")) == (len(content), [0] * len(content), {})


def test_no_shards_hold_nothing(tmp_path: Path) -> None:
    held = Postings(tmp_path)
    assert (len(held), held.lengths().tolist(), found(held, "a")) == (0, [], {})


def test_terms_of_a_shard_are_in_the_order_of_their_letters(tmp_path: Path) -> None:
    write_postings(tmp_path / "00000.arrow", [["b", "é", "a", "\U0001f41d", "z", "\uffe6"]])
    shard = ShardPostings(tmp_path / "00000.arrow")
    # by code points, as Python compares: a b z é, then U+FFE6, then U+1F41D
    assert shard.terms.to_pylist() == ["a", "b", "z", "é", "\uffe6", "\U0001f41d"]
    assert [shard.find(term) for term in ("a", "é", "\U0001f41d", "y")] == [slice(0, 1), slice(3, 4), slice(5, 6), None]


def test_a_shard_holds_4_bytes_of_row_and_2_of_count_a_posting(tmp_path: Path) -> None:
    write_postings(tmp_path / "00000.arrow", PASSAGES)
    shard = ShardPostings(tmp_path / "00000.arrow")
    assert (shard.rows.itemsize, shard.counts.itemsize, len(shard.rows), len(shard.counts)) == (4, 2, 5, 5)


def test_a_term_that_a_passage_repeats_beyond_16_bits_counts_as_the_most_they_hold(tmp_path: Path) -> None:
    held = postings(tmp_path, [["a"] * (MOST + 2)])
    assert (found(held, "a"), MOST) == ({0: 65_535}, 2**16 - 1)


def test_the_same_passages_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_postings(tmp_path / f"{name}.arrow", PASSAGES)
    assert (tmp_path / "one.arrow").read_bytes() == (tmp_path / "two.arrow").read_bytes()


def test_other_passages_with_the_same_terms_give_other_bytes(tmp_path: Path) -> None:
    write_postings(tmp_path / "one.arrow", [["a", "b"], ["c"]])
    write_postings(tmp_path / "two.arrow", [["a"], ["b", "c"]])
    assert (tmp_path / "one.arrow").read_bytes() != (tmp_path / "two.arrow").read_bytes()


def test_a_file_is_plain_arrow(tmp_path: Path) -> None:
    write_postings(tmp_path / "00000.arrow", PASSAGES)
    with pa.ipc.open_file(pa.memory_map(str(tmp_path / "00000.arrow"))) as file:
        rows = file.read_all().to_pylist()
    assert rows[1] == {"term": "cat", "rows": [0, 2], "counts": [1, 2]}
