"""With any k1 and b the postings give what an index that was built with these gives, and rank-bm25 too."""

import random
from pathlib import Path

import numpy as np
import pytest

from indexing.bm25.backends import Bm25s, RankBm25
from indexing.bm25.from_postings import PostingsBm25
from indexing.bm25.settings import Bm25Settings
from indexing.records import Floats, Rows
from tests.unit.indexing.bm25.test_backends import PASSAGES, built, random_passages, write

PAIRS = [(0.0, 0.0), (0.82, 0.68), (1.2, 0.75), (3.0, 1.0)]


def in_order(found: tuple[Rows, Floats]) -> tuple[list[int], Floats]:
    """Rows ascending with their scores."""
    rows, scores = found
    order = np.argsort(rows)
    return rows[order].tolist(), scores[order]


@pytest.mark.parametrize(("k1", "b"), PAIRS)
def test_it_is_the_index_that_was_built_so(tmp_path: Path, k1: float, b: float) -> None:
    passages = random_passages(300)
    settings = Bm25Settings(k1=k1, b=b)
    index = Bm25s.open(built(tmp_path, passages[:170], passages[170:], settings=settings))
    plain = RankBm25(passages, settings)
    postings = PostingsBm25(tmp_path / "terms")
    rng = random.Random(2)
    for _ in range(20):
        terms = rng.choices([f"w{number}" for number in range(900)], k=rng.randint(1, 6))  # some are nowhere
        rows, scores = in_order(postings.search(terms, settings, depth=25))
        expected_rows, expected = in_order(index.search(terms, depth=25))
        assert rows == expected_rows
        assert scores == pytest.approx(expected, rel=1e-6)
        assert scores == pytest.approx(plain.scores(terms)[rows], rel=1e-5)


def test_another_pair_changes_the_scores_and_not_the_passages(tmp_path: Path) -> None:
    write(tmp_path, PASSAGES[:2], PASSAGES[2:])
    postings = PostingsBm25(tmp_path / "terms")
    low, high = (in_order(postings.search(["cat"], Bm25Settings(k1=k1, b=0.4), depth=9)) for k1 in (0.5, 2.0))
    assert low[0] == high[0] == [0, 1]
    assert (low[1] > high[1]).all()


@pytest.mark.parametrize("terms", [[], ["unicorn"]])
def test_without_a_known_term_nothing_is_found(tmp_path: Path, terms: list[str]) -> None:
    write(tmp_path, PASSAGES)
    rows, scores = PostingsBm25(tmp_path / "terms").search(terms, Bm25Settings(k1=2.0), depth=3)
    assert rows.tolist() == scores.tolist() == []


def test_passages_without_terms_are_never_found(tmp_path: Path) -> None:
    write(tmp_path, [[], []])
    assert PostingsBm25(tmp_path / "terms").search(["cat"], Bm25Settings(k1=2.0), depth=3)[0].tolist() == []
