"""Tests, corrections and intervals give what enumeration and closed forms give."""

import math

import pytest

from indexing.errors import SettingsError
from training.evaluation.significance import (
    EXACT_QUERIES,
    RANDOMIZATIONS,
    bootstrap_interval,
    holm,
    interval_over_sets,
    outcome,
    outcomes,
    randomization_test,
    t_test,
)


@pytest.mark.parametrize(
    ("differences", "p"),
    [
        ([1, 1, 1], 2 / 8),  # only all + and all - reach a sum of 3
        ([3, -1, 2], 4 / 8),  # sums 6, 4, 2, 0 and their opposites: 6 and 4 reach 4
        ([0.1, 0.2, 0.3], 2 / 8),  # 0.1 + 0.2 + 0.3 isn't 0.3 + 0.2 + 0.1 in floats
        ([5], 2 / 2),
        ([1, -1], 4 / 4),  # a sum of 0 is reached by every assignment
    ],
)
def test_with_few_queries_every_assignment_of_signs_is_tried(differences: list[float], p: float) -> None:
    assert randomization_test(differences) == p


def test_queries_that_dont_differ_change_no_p() -> None:
    assert randomization_test([1, 0, 1, 0, 1, *[0] * 50]) == 2 / 8


@pytest.mark.parametrize("differences", [[], [0.0], [0.0] * 40])
def test_systems_that_are_the_same_dont_differ(differences: list[float]) -> None:
    assert (randomization_test(differences), t_test(differences)) == (1, 1)


def test_with_many_queries_signs_are_drawn() -> None:
    # 15 of 20 for, 5 against: |sum| >= 10 with at least 15 signs of one kind;
    # C(20,15) + ... + C(20,20) = 15504 + 4845 + 1140 + 190 + 20 + 1 = 21700
    p = 2 * 21700 / 2**20
    assert randomization_test([1.0] * 15 + [-1.0] * 5) == pytest.approx(p, abs=4 * math.sqrt(p / RANDOMIZATIONS))


def test_a_drawn_p_is_the_same_each_time_and_another_with_another_seed() -> None:
    differences = [math.sin(number) + 0.2 for number in range(40)]
    assert randomization_test(differences) == randomization_test(differences)
    assert randomization_test(differences) != randomization_test(differences, seed=1)


def test_a_drawn_p_is_never_zero() -> None:
    # 2 of 2^100 assignments are as extreme: none is drawn, and what was observed counts as one
    assert randomization_test([1.0] * 100) == 1 / (RANDOMIZATIONS + 1)


def test_drawing_and_trying_all_agree() -> None:
    few = [0.3, -0.1, 0.25, 0.4, -0.2, 0.15, 0.1, -0.05, 0.35, 0.05, -0.3, 0.2, 0.45, -0.15, 0.12, 0.07]
    assert len(few) == EXACT_QUERIES
    exact = randomization_test(few)
    assert 0.02 < exact < 0.2
    assert randomization_test([*few, 1e-12]) == pytest.approx(exact, abs=0.004)  # one more: drawn


def test_students_p_is_that_of_the_closed_form() -> None:
    # mean 2, deviation 1: t = 2 sqrt(3); with 2 degrees of freedom two-sided p = 1 - t / sqrt(t^2 + 2)
    t = 2 * math.sqrt(3)
    assert t_test([1, 2, 3]) == pytest.approx(1 - t / math.sqrt(t * t + 2))
    assert t_test([-1, -2, -3]) == pytest.approx(t_test([1, 2, 3]))


def test_students_p_of_a_difference_that_never_varies_is_zero_and_of_one_query_one() -> None:
    assert t_test([0.5, 0.5, 0.5]) == 0
    assert t_test([0.5]) == 1


def test_holm_multiplies_the_smallest_by_all_and_never_falls() -> None:
    # 3 * 0.01; 2 * 0.03; 1 * 0.04 would be below that of a smaller p, so it becomes 0.06
    assert holm({"a": 0.01, "b": 0.04, "c": 0.03}) == pytest.approx({"a": 0.03, "b": 0.06, "c": 0.06})


def test_holm_stops_at_one() -> None:
    assert holm({"a": 0.6, "b": 0.7}) == {"a": 1, "b": 1}
    assert holm({}) == {}


def test_the_interval_of_two_queries_is_that_of_their_four_samples() -> None:
    # means 0, 1/2, 1/2, 1: the middle half of them is 1/2, nearly all is 0 to 1
    assert bootstrap_interval([0, 1], level=0.4) == (0.5, 0.5)
    assert bootstrap_interval([0, 1], level=0.95) == (0, 1)


def test_the_interval_of_many_queries_is_that_of_the_normal_distribution() -> None:
    # 400 queries of which half score 1: deviation of the mean 0.5 / sqrt(400) = 0.025, 95 % within 1.96 of them
    low, high = bootstrap_interval([0.0, 1.0] * 200)
    assert low == pytest.approx(0.5 - 1.96 * 0.025, abs=0.004)
    assert high == pytest.approx(0.5 + 1.96 * 0.025, abs=0.004)


@pytest.mark.parametrize(("values", "level"), [([], 0.95), ([1.0], 0), ([1.0], 1)])
def test_an_interval_that_cant_be_had_is_reported(values: list[float], level: float) -> None:
    with pytest.raises(SettingsError, match="No interval"):
        bootstrap_interval(values, level=level)


def test_wins_losses_and_ties_are_counted_by_query() -> None:
    assert outcomes([0.5, -0.2, 0.00005, 0, -0.00005, 0.3]) == (2, 1, 3)


def test_a_difference_as_large_as_the_tolerance_is_a_tie() -> None:
    assert [outcome(value, tie=0.25) for value in (0.25, -0.25, 0.26, -0.26)] == ["tie", "tie", "win", "loss"]


def test_every_set_counts_the_same_however_many_queries_it_has() -> None:
    assert interval_over_sets([[0.2] * 9, [0.4]]) == pytest.approx((0.3, 0.3))
    assert interval_over_sets([[0.0, 1.0] * 50]) == bootstrap_interval([0.0, 1.0] * 50)


def test_the_mean_of_sets_has_a_narrower_interval_than_one_of_them() -> None:
    one, both = bootstrap_interval([0.0, 1.0] * 50), interval_over_sets([[0.0, 1.0] * 50] * 2)
    assert both.high - both.low == pytest.approx((one.high - one.low) / 2**0.5, rel=0.05)


@pytest.mark.parametrize("sets", [[], [[0.1], []]])
def test_no_set_and_an_empty_one_have_no_interval(sets: list[list[float]]) -> None:
    with pytest.raises(SettingsError, match="No interval"):
        interval_over_sets(sets)
