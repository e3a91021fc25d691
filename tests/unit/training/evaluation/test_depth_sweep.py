"""Re-ranking to each depth is what a re-ranking of only so many would have given."""

import pytest

from indexing.errors import SettingsError
from tests.support.judged_lists import ONE, THREE, TWO, grades, ranking, scored
from training.evaluation.depth_sweep import depth_sweep, rerank_first

GIVEN = ranking("x", "y", "a", "b")
LOGITS = scored(b=4.0, a=3.0, y=2.0, x=1.0)


@pytest.mark.parametrize(
    ("depth", "order"),
    [(0, "x y a b"), (1, "x y a b"), (2, "y x a b"), (3, "a y x b"), (4, "b a y x"), (9, "b a y x")],
)
def test_only_the_first_candidates_change_places(depth: int, order: str) -> None:
    assert rerank_first(GIVEN, LOGITS, depth=depth).passage_ids == tuple(order.split())


def test_a_candidate_that_was_not_scored_is_reported() -> None:
    with pytest.raises(SettingsError, match="Of the first 3 candidates only 2"):
        rerank_first(GIVEN, scored(x=1.0, y=2.0), depth=3)


def test_each_depth_has_its_value_its_ceiling_and_its_time() -> None:
    rows = depth_sweep(
        {ONE: GIVEN, TWO: ranking("c", "d"), THREE: ranking("z")},  # the last isn't judged
        {ONE: LOGITS, TWO: scored(c=2.0, d=1.0)},
        {ONE: grades(a=2), TWO: grades(d=2)},
        minimum_grade=2,
        seconds_per_pair=0.01,
        depths=(0, 2, 3, 50),
    )
    assert [row.depth for row in rows] == [0, 2, 3, 4]  # 4 is the deepest list
    # a: rank 3, 3, 1, 2; d: rank 2 and the re-ranker never lifts it
    found = [row.measured.means["MRR@10"] for row in rows]
    assert found == pytest.approx([(1 / 3 + 1 / 2) / 2, (1 / 3 + 1 / 2) / 2, (1 + 1 / 2) / 2, (1 / 2 + 1 / 2) / 2])
    # best order of the first 0, 2, 3 and 4: a stays at 3 until it is among them, d is lifted from 2 on
    best = [row.ceiling.means["MRR@10"] for row in rows]
    assert best == pytest.approx([(1 / 3 + 1 / 2) / 2, (1 / 3 + 1) / 2, (1 + 1) / 2, (1 + 1) / 2])
    # pairs of a query: 0; (2 + 2) / 2; (3 + 2) / 2; (4 + 2) / 2
    assert [row.seconds for row in rows] == pytest.approx([0, 0.02, 0.025, 0.03])


def test_without_a_time_no_seconds_are_made_up() -> None:
    rows = depth_sweep({ONE: GIVEN}, {ONE: LOGITS}, {ONE: grades(a=2)}, minimum_grade=2)
    assert [(row.depth, row.seconds) for row in rows] == [(0, None), (4, None)]


def test_where_nothing_was_retrieved_there_is_one_row_of_nothing() -> None:
    (row,) = depth_sweep({}, {}, {ONE: grades(a=2)}, minimum_grade=2, seconds_per_pair=1.0)
    assert (row.depth, row.measured.means["MAP"], row.seconds) == (0, 0, 0)
