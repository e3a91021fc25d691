"""The gate lets through what is not significantly worse, as figured by hand here, and says why it refuses the rest."""

import pytest

from indexing.errors import SettingsError
from indexing.records import QueryId
from training.versions.gate import BETTER, NOT_WORSE, UNTOLD, WORSE, Comparison, Verdict, compare


def system(*values: float) -> dict[QueryId, float]:
    return {QueryId(str(number)): value for number, value in enumerate(values)}


def of(*differences: float) -> Comparison:
    """A promoted system with 0.5 on every query, and a candidate that differs so."""
    return compare(system(*(0.5 + value for value in differences)), system(*(0.5 for _ in differences)))


def test_five_losses_in_five_queries_are_significant() -> None:
    found = of(-0.1, -0.2, -0.3, -0.1, -0.1)
    # of the 2^5 ways to give the differences a sign, one has a sum as low: p = 1/32
    assert found.p == pytest.approx(1 / 32)
    assert found.outcome == WORSE
    assert found.difference == pytest.approx(-0.8 / 5)
    assert (found.candidate_mean, found.promoted_mean) == pytest.approx((0.5 - 0.16, 0.5))
    assert found.queries == 5


def test_one_small_win_among_five_losses_is_still_too_likely_by_chance() -> None:
    found = of(-0.2, -0.2, -0.2, -0.2, 0.2)
    # sums as low as -0.6: all five negative (1 way), or one of the five positive (5 ways): p = 6/32 = 0.19
    assert found.p == pytest.approx(6 / 32)
    assert found.outcome == NOT_WORSE


def test_five_wins_in_five_queries_are_better() -> None:
    found = of(0.1, 0.2, 0.3, 0.1, 0.1)
    assert found.p == pytest.approx(1 - 1 / 32)
    assert found.outcome == BETTER


def test_a_win_that_may_be_chance_is_not_called_better() -> None:
    assert of(0.1, 0.2, 0.3, 0.1, -0.1).outcome == NOT_WORSE


def test_the_same_system_is_not_worse() -> None:
    found = of(0, 0, 0, 0, 0)
    assert (found.outcome, found.difference, found.p) == (NOT_WORSE, 0, 0.5)
    assert found.interval == (0, 0)


def test_few_queries_can_tell_nothing() -> None:
    # a loss on each of four: p = 1/2^4 = 0.0625, above 0.05 whatever the loss
    assert of(-0.5, -0.5, -0.5, -0.5).outcome == UNTOLD
    assert of(-0.5, -0.5, -0.5, -0.5, -0.5).outcome == WORSE


def test_queries_on_which_both_do_alike_do_not_hide_a_loss() -> None:
    assert of(*[0.0] * 50, -0.1, -0.1, -0.1, -0.1, -0.1).outcome == WORSE


def test_the_interval_is_of_the_mean_difference() -> None:
    found = of(*[-0.1, -0.3] * 50)
    # deviation 0.1 over 100 queries: 0.01 of the mean, 95 % within 1.96 of them
    assert found.interval.low == pytest.approx(-0.2 - 0.0196, abs=0.004)
    assert found.interval.high == pytest.approx(-0.2 + 0.0196, abs=0.004)


@pytest.mark.parametrize("other", [system(0.5), system(), {QueryId("x"): 0.5, QueryId("1"): 0.5}])
def test_other_queries_are_not_compared(other: dict[QueryId, float]) -> None:
    with pytest.raises(SettingsError, match="needs the same ones"):
        compare(system(0.5, 0.5), other)


def test_nothing_is_not_compared() -> None:
    with pytest.raises(SettingsError, match="one at least"):
        compare({}, {})


def verdict(comparison: Comparison | None, *failed: str, missing: str = "") -> Verdict:
    return Verdict("mine/2", "mine/1", "index small", comparison, missing, 3, failed)


def test_what_is_not_worse_is_not_refused() -> None:
    assert verdict(of(-0.1, 0.1, 0.1, 0.1, 0.1)).refusal == ""
    assert verdict(None).refusal == ""  # nothing is served that it could be compared with


def test_a_refusal_says_what_was_measured_and_what_to_do() -> None:
    said = verdict(of(-0.1, -0.2, -0.3, -0.1, -0.1)).refusal
    for part in (
        "mine/2 is not promoted",
        "0.3400",
        "of mine/1 0.5000",
        "over 5 queries",
        "-0.1600",
        "p 0.031,",
        WORSE,
    ):
        assert part in said
    assert said.endswith("with --force and a --reason, which is recorded.")
    assert "\n" not in said


def test_too_few_queries_are_refused() -> None:
    assert UNTOLD in verdict(of(0.1)).refusal


def test_every_failing_expectation_is_named() -> None:
    said = verdict(of(0, 0, 0, 0, 0), "for 'q', a above b", "for 'r', c above d").refusal
    assert "2 of 3 expectations fail: for 'q', a above b; for 'r', c above d" in said


def test_both_objections_are_named() -> None:
    found = verdict(of(-0.1, -0.2, -0.3, -0.1, -0.1), "for 'q', a above b")
    assert len(found.objections) == 2
    assert all(part in found.refusal for part in found.objections)


def test_a_promoted_version_that_is_damaged_is_an_objection() -> None:
    assert "couldn't be compared" in verdict(None, missing="mine/1 is damaged.").refusal
