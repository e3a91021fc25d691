"""Kappa of two raters, against values computed by hand."""

from typing import Any

import pytest

from indexing.records import PassageId
from training.judgments.agreement import (
    Agreement,
    Pairs,
    agreements,
    by_query,
    cohen_kappa,
    median_grades,
    shared_pairs,
    weighted_kappa,
)
from training.judgments.feedback import Grade

SIX = [(0, 0), (0, 1), (1, 1), (2, 2), (3, 3), (3, 2)]


def test_kappa_of_six_pairs() -> None:
    # equal: 4 of 6. By chance, with counts 0:2 1:1 2:1 3:2 and 0:1 1:2 2:2 3:1: (2*1 + 1*2 + 1*2 + 2*1) / 36 = 8/36
    assert cohen_kappa(SIX) == pytest.approx((4 / 6 - 8 / 36) / (1 - 8 / 36))
    assert cohen_kappa(SIX) == pytest.approx(4 / 7)


def test_weighted_kappa_of_six_pairs() -> None:
    # squares of the differences: (0+1+0+0+0+1) / 6 = 12/36. By chance, over all 36 pairs of a first and a second grade:
    # 6 * (0+0+1+4+9+9) + 6 * (0+1+1+4+9+4) - 2 * 9 * 9 = 90, so 90/36
    assert weighted_kappa(SIX) == pytest.approx(1 - 12 / 90)


def test_a_near_miss_costs_the_weighted_kappa_less_than_a_far_one() -> None:
    near, far = [(0, 0), (3, 3), (2, 3)], [(0, 0), (3, 3), (0, 3)]
    near_kappa, far_kappa = weighted_kappa(near), weighted_kappa(far)
    assert near_kappa is not None
    assert far_kappa is not None
    assert near_kappa > far_kappa


@pytest.mark.parametrize(
    ("pairs", "kappa"),
    [
        ([(0, 0), (3, 3), (1, 1)], 1.0),
        ([(0, 3), (3, 0)], -1.0),  # 0 of 2 equal, 1/2 by chance: (0 - 1/2) / (1 - 1/2)
        ([(0, 1), (0, 1)], 0.0),  # never equal, and never so by chance
        ([(0, 0), (0, 3), (3, 0), (3, 3)], 0.0),  # 2 of 4 equal, 1/2 by chance
    ],
)
def test_kappa_of_full_chance_and_worse_agreement(pairs: Pairs, kappa: float) -> None:
    assert cohen_kappa(pairs) == pytest.approx(kappa)
    assert weighted_kappa(pairs) == pytest.approx(kappa)


@pytest.mark.parametrize("pairs", [[], [(2, 3)], [(2, 2)], [(1, 1), (1, 1), (1, 1)]])
def test_too_few_pairs_or_a_single_grade_have_no_kappa(pairs: Pairs) -> None:
    assert cohen_kappa(pairs) is None
    assert weighted_kappa(pairs) is None


def graded(**values: Any) -> Grade:
    fields: dict[str, Any] = {
        "query": "Bees?",
        "normalized": "bees",
        "query_id": None,
        "passage_id": PassageId("a1"),
    }
    return Grade(**{**fields, "rater": "ann", "grade": 2, "protected": False, **values})


def grade(rater: str, passage: str, value: int, *, query: str = "q", index: str = "i") -> Grade:
    return graded(query=query, normalized=query, index=index, passage_id=PassageId(passage), rater=rater, grade=value)


def test_only_passages_that_both_judged_count() -> None:
    grades = [
        grade("ann", "1", 3),
        grade("ann", "2", 0),
        grade("ann", "3", 1),
        grade("bob", "1", 2),
        grade("bob", "2", 0, query="another"),
        grade("bob", "3", 0, index="another"),
    ]
    assert shared_pairs(grades, "ann", "bob") == [(3, 2)]
    assert shared_pairs(grades, "bob", "ann") == [(2, 3)]
    assert agreements(grades) == [Agreement(("ann", "bob"), 1, 0.0, None, None)]


def test_every_pair_of_raters_with_a_passage_in_common_is_compared() -> None:
    grades = [grade(rater, passage, int(passage)) for rater in ("cat", "ann", "bob") for passage in ("0", "3")]
    grades.append(grade("dan", "1", 1))
    compared = agreements(grades)
    assert [agreement.raters for agreement in compared] == [("ann", "bob"), ("ann", "cat"), ("bob", "cat")]
    assert {(agreement.judged, agreement.same, agreement.kappa, agreement.weighted) for agreement in compared} == {
        (2, 1.0, 1.0, 1.0)
    }


@pytest.mark.parametrize(
    ("grades", "grade"),
    [
        ([2], 2),
        ([0, 3, 3], 3),
        ([0, 0, 3], 0),
        ([1, 2], 2),  # 1.5, rounded up
        ([0, 3], 2),  # 1.5, rounded up
        ([0, 1], 1),  # 0.5, rounded up
        ([0, 2], 1),
        ([0, 1, 2, 3], 2),  # (1 + 2) / 2 = 1.5
    ],
)
def test_raters_agree_on_the_median_halves_rounded_up(grades: list[int], grade: int) -> None:
    grades_by_raters = [graded(rater=f"rater {number}", grade=value) for number, value in enumerate(grades)]
    assert median_grades(grades_by_raters, passage=lambda grade: grade.passage_id) == {"a1": grade}


def test_a_rater_s_last_grade_counts_and_passages_keep_their_order() -> None:
    grades_by_raters = [graded(grade=3, text="b"), graded(grade=1, text="a"), graded(grade=0, text="b")]
    medians = median_grades(grades_by_raters, passage=lambda grade: grade.text)
    assert list(medians.items()) == [("b", 0), ("a", 1)]


def test_grades_are_grouped_by_normalized_query() -> None:
    first, other, same = graded(query="Bees?"), graded(query="Wasps", normalized="wasps"), graded(query="bees")
    assert list(by_query([first, other, same]).items()) == [("bees", [first, same]), ("wasps", [other])]
