"""Passages and rankings can't be made in a bad state."""

import subprocess
import sys

import numpy as np
import pytest

from indexing.errors import SettingsError
from indexing.records import Candidate, Passage, PassageId, Ranking
from tests.conftest import REPOSITORY


def ids(*names: str) -> list[PassageId]:
    return [PassageId(name) for name in names]


def floats(*values: float) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    return np.array(values, dtype=np.float32)


def test_a_passage_without_an_id_is_refused() -> None:
    with pytest.raises(ValueError, match="id"):
        Passage(PassageId(""), "text")


def test_content_is_title_and_text() -> None:
    assert Passage(PassageId("1"), "It stores honey.", "The hive").content == "The hive It stores honey."


def test_content_without_a_title_is_the_text_alone() -> None:
    assert Passage(PassageId("1"), "It stores honey.").content == "It stores honey."


def test_ranks_start_at_one() -> None:
    assert list(Ranking(ids("x", "y"), floats(2, 1))) == [Candidate(1, PassageId("x"), 2.0), (2, "y", 1.0)]


def test_ranks_by_id_start_at_one() -> None:
    assert Ranking(ids("x", "y"), floats(2, 1)).ranks() == {"x": 1, "y": 2}


def test_a_rising_score_is_refused() -> None:
    with pytest.raises(ValueError, match="rise"):
        Ranking(ids("x", "y"), floats(1, 2))


@pytest.mark.parametrize("score", [float("nan"), float("inf"), float("-inf")])
def test_a_score_that_is_no_finite_number_is_refused(score: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        Ranking(ids("x"), floats(score))


def test_a_passage_that_appears_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="twice"):
        Ranking(ids("x", "x"), floats(2, 1))


def test_ids_and_scores_of_different_number_are_refused() -> None:
    with pytest.raises(ValueError, match="2 passage ids"):
        Ranking(ids("x", "y"), floats(1))


def test_sort_orders_best_first() -> None:
    assert Ranking.sort([(PassageId("x"), 1.0), (PassageId("y"), 3.0), (PassageId("z"), 2.0)]).passage_ids == (
        "y",
        "z",
        "x",
    )


@pytest.mark.parametrize("order", [("b", "a", "c"), ("c", "b", "a"), ("a", "c", "b")])
def test_ties_are_broken_by_passage_id_whatever_the_order_given(order: tuple[str, ...]) -> None:
    assert Ranking.sort([(PassageId(name), 1.0) for name in order]).passage_ids == ("a", "b", "c")


def test_scores_that_differ_by_less_than_float32_shows_are_ties() -> None:
    # 1 + 1e-9 is 1 in float32, so that b doesn't stand above a
    assert Ranking.sort([(PassageId("b"), 1 + 1e-9), (PassageId("a"), 1.0)]).passage_ids == ("a", "b")


def test_sort_keeps_the_best_of_a_tie_at_the_cut() -> None:
    scored = [(PassageId(name), 1.0) for name in ("d", "c", "b", "a")]
    assert Ranking.sort(scored, depth=2).passage_ids == ("a", "b")


def test_top_keeps_the_best_places_and_their_scores() -> None:
    assert Ranking(ids("x", "y", "z"), floats(3, 2, 1)).top(2) == Ranking(ids("x", "y"), floats(3, 2))


def test_top_of_fewer_than_none_is_refused() -> None:
    with pytest.raises(SettingsError, match="A list can't be cut to -1 places; give 0 or more"):
        Ranking.sort([(PassageId("a"), 1.0)]).top(-1)


def test_top_of_more_than_there_is_keeps_all() -> None:
    assert len(Ranking(ids("x", "y"), floats(2, 1)).top(10)) == 2


def test_an_empty_ranking_is_a_ranking() -> None:
    assert list(Ranking.sort([])) == []


def test_scores_of_a_ranking_cannot_be_changed() -> None:
    ranking = Ranking(ids("x", "y"), floats(2, 1))
    with pytest.raises(ValueError, match="read-only"):
        ranking.scores[0] = 0


def test_a_change_to_the_array_given_does_not_reach_the_ranking() -> None:
    scores = floats(3, 2, 1)
    ranking = Ranking(ids("x", "y"), scores[:2])
    scores[0] = -7  # the array stays its owner's
    assert ranking.scores.tolist() == [3, 2]


def test_rankings_with_other_scores_are_not_equal() -> None:
    assert Ranking(ids("x"), floats(1)) != Ranking(ids("x"), floats(2))


def test_records_load_without_torch() -> None:
    code = "import sys, indexing.records; print(sorted({'torch', 'faiss', 'bm25s', 'transformers'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
