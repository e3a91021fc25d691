"""Token vectors are stored in few bits, and read back as the unit vectors next to those that were given."""

from pathlib import Path

import numpy as np
import pytest

from indexing.errors import IndexingError, SettingsError
from indexing.records import Floats
from indexing.store.token_forms import FORMS, check_form, vector_bytes
from indexing.store.token_vectors import (
    StoredPassage,
    TokenVectorStore,
    from_codes,
    in_batches,
    to_codes,
    write_token_vectors,
)

LENGTHS = (3, 1, 4, 2)  # tokens of four passages


def unit_vectors(count: int, dim: int) -> Floats:
    drawn = np.random.default_rng(7).normal(size=(count, dim)).astype(np.float32)
    return np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True))


def write(folder: Path, form: str, vectors: Floats, dim: int) -> None:
    folder.mkdir()
    starts = np.cumsum((0, *LENGTHS))
    rows = [
        StoredPassage(to_codes(vectors[start : start + length], form), cut=length == 4)
        for start, length in zip(starts, LENGTHS, strict=False)
    ]
    width = vector_bytes(form, dim)
    write_token_vectors(folder / "00000.arrow", [rows[:1], rows[1:3]], width=width)
    write_token_vectors(folder / "00001.arrow", [rows[3:]], width=width)


def test_a_vector_becomes_whole_steps_of_its_largest_dimension() -> None:
    vectors = np.array([[0.6, -0.8, 0.0]], dtype=np.float32)
    codes = to_codes(vectors, "int8")
    assert codes.view(np.int8).tolist() == [[95, -127, 0]]  # 0.6 / 0.8 * 127 = 95.25
    length = np.hypot(95, 127)
    assert from_codes(codes, "int8", dim=3) == pytest.approx(np.array([[95, -127, 0]]) / length)


def test_two_dimensions_share_a_byte_in_four_bits() -> None:
    codes = to_codes(np.array([[0.6, -0.8, 0.0]], dtype=np.float32), "int4")
    # 0.6 / 0.8 * 7 = 5.25, so the steps are 5, -7, 0; each is stored with 8 added, and the odd one beside an empty one
    assert codes.tolist() == [[(5 + 8) + 16 * (-7 + 8), (0 + 8) + 16 * 8]]
    assert from_codes(codes, "int4", dim=3) == pytest.approx(np.array([[5, -7, 0]]) / np.hypot(5, 7))


def test_in_four_bits_a_single_large_dimension_does_not_widen_the_steps_of_the_others() -> None:
    vector = np.full((1, 100), 0.01, dtype=np.float32)
    vector[0, 0] = 0.995
    # the mean of squares is 0.01, so the limit is 2.7 * 0.1 = 0.27, and not 0.995
    assert to_codes(vector, "int4")[0, 0] & 15 == 7 + 8


@pytest.mark.parametrize(("form", "error"), [("int8", 0.005), ("int4", 0.08)])
@pytest.mark.parametrize("dim", [384, 33])
def test_stored_vectors_are_read_back_as_unit_vectors_within_the_rounding(
    tmp_path: Path, form: str, error: float, dim: int
) -> None:
    vectors = unit_vectors(sum(LENGTHS), dim)
    write(tmp_path / "token_vectors", form, vectors, dim)
    store = TokenVectorStore(tmp_path / "token_vectors", form=form, dim=dim)
    assert len(store) == 4
    assert [store.cut(row) for row in range(4)] == [False, False, True, False]
    found = [store.vectors(row) for row in range(4)]
    assert tuple(map(len, found)) == LENGTHS
    together = np.concatenate(found)
    assert together.dtype == np.float32
    assert np.linalg.norm(together, axis=1) == pytest.approx(1, abs=1e-5)
    assert np.abs((together - vectors) @ unit_vectors(50, dim).T).max() < error  # of a cosine with another vector
    assert store.stored(0).codes.shape == (3, dim if form == "int8" else -(-dim // 2))


@pytest.mark.parametrize("row", [-1, 4])
def test_a_row_that_is_not_there_is_refused(tmp_path: Path, row: int) -> None:
    write(tmp_path / "token_vectors", "int8", unit_vectors(10, 8), 8)
    with pytest.raises(IndexError, match=f"row {row} of a store of 4 passages"):
        TokenVectorStore(tmp_path / "token_vectors", form="int8", dim=8).vectors(row)


def test_a_vector_without_a_direction_makes_an_index_broken(tmp_path: Path) -> None:
    (tmp_path / "token_vectors").mkdir()
    rows = [StoredPassage(np.zeros((2, 8), dtype=np.uint8), cut=False)]
    write_token_vectors(tmp_path / "token_vectors/00000.arrow", [rows], width=8)
    with pytest.raises(IndexingError, match=r"a vector in token_vectors/ has no direction"):
        TokenVectorStore(tmp_path / "token_vectors", form="int8", dim=8).vectors(0)


def test_files_of_other_widths_make_an_index_broken(tmp_path: Path) -> None:
    write(tmp_path / "token_vectors", "int8", unit_vectors(10, 8), 8)
    with pytest.raises(IndexingError, match=r"token_vectors/00000\.arrow has other columns than codes, cut"):
        TokenVectorStore(tmp_path / "token_vectors", form="int4", dim=8)


def test_passages_are_encoded_some_at_a_time() -> None:
    assert [(part.start, part.stop) for part in in_batches(1025)] == [(0, 512), (512, 1024), (1024, 1025)]
    assert list(in_batches(0)) == []


def test_an_unknown_form_is_refused() -> None:
    for form in (*FORMS, ""):
        check_form(form)
    with pytest.raises(SettingsError, match="Token vectors can't be stored as 'int2'; choose one of int4, int8"):
        check_form("int2")
