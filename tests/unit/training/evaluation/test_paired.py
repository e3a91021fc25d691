"""Better, worse or no difference shown, as figured by hand from the interval of the mean difference."""

import pytest

from indexing.errors import SettingsError
from indexing.records import QueryId
from training.evaluation.paired import BETTER, NO_DIFFERENCE, TOO_FEW, WORSE, PairedComparison, compare_paired


def system(*values: float) -> dict[QueryId, float]:
    return {QueryId(str(number)): value for number, value in enumerate(values)}


def differing(*differences: float) -> PairedComparison:
    """A baseline with 0.5 on every query, and a candidate that differs by so much."""
    candidate = system(*(0.5 + value for value in differences))
    return compare_paired(candidate, system(*(0.5 for _ in differences)), measure="MAP")


def test_an_interval_below_zero_is_worse() -> None:
    found = differing(-0.1, -0.2, -0.3, -0.1, -0.1, -0.1)
    assert found.difference == pytest.approx(-0.9 / 6)
    assert (found.candidate_mean, found.baseline_mean) == pytest.approx((0.5 - 0.15, 0.5))
    # no resample of six losses has a mean above the least of them; 0.1 on all six is drawn (4/6)^6 = 9 % of the time
    assert found.interval.high == pytest.approx(-0.1)
    assert (found.outcome, found.queries, found.measure) == (WORSE, 6, "MAP")


def test_an_interval_above_zero_is_better() -> None:
    assert differing(0.1, 0.2, 0.3, 0.1, 0.1, 0.1).outcome == BETTER


def test_an_interval_that_holds_zero_shows_no_difference() -> None:
    found = differing(*[0.1] * 4, *[-0.1] * 2)
    # the number of losses among six draws is binomial with p = 1/3: three or more, and a mean of 0 or less, in
    # 1 - (64 + 6 * 32 + 15 * 16) / 729 = 32 % of the resamples, far more than 2.5 %
    assert found.difference == pytest.approx(0.2 / 6)
    assert found.interval.low < 0 < found.interval.high
    assert found.outcome == NO_DIFFERENCE


def test_an_interval_that_ends_at_zero_shows_no_difference() -> None:
    # the one query that differs is in none of the resamples (9/10)^10 = 35 % of the time, so the lower end is 0
    found = differing(*[0.0] * 9, 0.5)
    assert found.interval.low == 0
    assert found.outcome == NO_DIFFERENCE


def test_the_same_system_shows_no_difference() -> None:
    found = differing(*[0.0] * 6)
    assert (found.outcome, found.difference, tuple(found.interval)) == (NO_DIFFERENCE, 0, (0, 0))


def test_both_sides_count() -> None:
    # 2.5 % lie beyond each end: of 100 queries with deviation 0.1 the mean has 0.01, so -0.018 is 1.8 of them from
    # zero, outside of the one-sided 5 % (1.645) and inside of the two-sided (1.96)
    values = [-0.018 + sign * 0.1 for sign in (1, -1)] * 50
    found = differing(*values)
    assert found.interval.low == pytest.approx(-0.018 - 0.0196, abs=0.002)
    assert found.interval.high == pytest.approx(-0.018 + 0.0196, abs=0.002)
    assert found.outcome == NO_DIFFERENCE
    assert differing(*(value - 0.01 for value in values)).outcome == WORSE  # 2.8 of them


def test_too_few_queries_show_nothing() -> None:
    # a loss on each of five: 2 of 2^5 assignments of signs are as extreme, p = 0.0625 whatever the loss
    assert differing(*[-0.5] * 5).outcome == TOO_FEW
    assert differing(*[-0.5] * 6).outcome == WORSE


def test_queries_on_which_both_do_alike_do_not_hide_a_loss() -> None:
    # none of the ten losses is among 60 draws in (50/60)^60 = 0.002 % of the resamples
    assert differing(*[0.0] * 50, *[-0.1] * 10).outcome == WORSE


def test_the_sentence_has_all_figures() -> None:
    said = differing(*[-0.1] * 6).sentence("mine/2", "mine/1")
    assert said == (
        "MAP of mine/2 is 0.4000, of mine/1 0.5000, over 6 queries: -0.1000 (95 %: -0.1000 to -0.1000), worse"
    )


@pytest.mark.parametrize("other", [system(0.5), system(), {QueryId("x"): 0.5, QueryId("1"): 0.5}])
def test_other_queries_are_not_compared(other: dict[QueryId, float]) -> None:
    with pytest.raises(SettingsError, match="needs the same ones"):
        compare_paired(system(0.5, 0.5), other, measure="MAP")


def test_nothing_is_not_compared() -> None:
    with pytest.raises(SettingsError, match="at least one"):
        compare_paired({}, {}, measure="MAP")
