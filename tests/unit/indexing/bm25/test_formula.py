"""The formula's parts are Lucene's, as computed by hand here."""

import math

import numpy as np
import pytest

from indexing.bm25.formula import best_rows, inverse_frequency, length_norms, mean_length
from indexing.bm25.settings import Bm25Settings
from indexing.records import Floats


def test_idf_is_lucenes() -> None:
    # ln(1 + (3 - 2 + 0.5) / (2 + 0.5)) and ln(1 + (3 - 3 + 0.5) / (3 + 0.5)), above 0 for a term of every passage
    assert inverse_frequency(np.array([2, 3]), passages=3) == pytest.approx([math.log(1.6), math.log(8 / 7)])


def test_norms_grow_with_the_length_over_the_average() -> None:
    # 0.9 * (1 - 0.4 + 0.4 * length / 2) of lengths 2, 4 and 0
    norms = length_norms(np.array([2, 4, 0]), Bm25Settings(k1=0.9, b=0.4), mean=2)
    assert norms == pytest.approx([0.9 * 1.0, 0.9 * 1.4, 0.9 * 0.6])


def test_the_mean_length_counts_passages_without_terms() -> None:
    assert mean_length(np.array([2, 4, 0])) == 2.0  # (2 + 4 + 0) / 3


@pytest.mark.parametrize("lengths", [[0, 0], []])
def test_the_mean_length_of_passages_without_terms_can_be_divided_by(lengths: list[int]) -> None:
    assert mean_length(np.array(lengths, dtype=np.int64)) == 1.0
    norms = length_norms(np.array([0, 0]), Bm25Settings(k1=1, b=0.5), mean=1.0)
    assert norms.tolist() == [0.5, 0.5]  # 1 * (1 - 0.5 + 0.5 * 0 / 1)


def scores(*values: float) -> Floats:
    return np.array(values, dtype=np.float32)


def test_best_rows_are_those_of_the_highest_scores() -> None:
    assert sorted(best_rows(scores(0.1, 0.5, 0.3, 0.9), depth=2).tolist()) == [1, 3]


def test_best_rows_hold_every_tie_with_the_last() -> None:
    assert sorted(best_rows(scores(0.5, 0.9, 0.5, 0.1, 0.5), depth=2).tolist()) == [0, 1, 2, 4]


def test_best_rows_leave_out_scores_of_zero() -> None:
    assert best_rows(scores(0, 0.2, 0, 0), depth=3).tolist() == [1]


def test_best_rows_of_more_than_there_are_passages_are_all_that_match() -> None:
    assert sorted(best_rows(scores(0.1, 0, 0.3), depth=10).tolist()) == [0, 2]


def test_best_rows_of_no_match_are_none() -> None:
    assert best_rows(scores(0, 0, 0), depth=2).tolist() == []
