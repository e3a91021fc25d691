"""Curves come near a known probability, keep their counts, and errors of calibration add up by hand."""

import math
from itertools import pairwise

import numpy as np
import pytest

from search.calibration.curve import Knot
from training.evaluation.curves import (
    CURVES,
    FEWEST_IN_REGION,
    Flags,
    Numbers,
    calibration_error,
    fit_isotonic,
    fit_platt,
    fit_weights,
    log_loss,
    wilson,
)


def drawn(count: int = 4000, seed: int = 3) -> tuple[Numbers, Flags]:
    """Scores from -3 to 3, relevant with the probability 1 / (1 + e^(1 - 2 score))."""
    rng = np.random.default_rng(seed)
    scores = rng.uniform(-3, 3, count)
    return scores, rng.random(count) < 1 / (1 + np.exp(1 - 2 * scores))


def at(knots: tuple[Knot, ...], scores: Numbers) -> Numbers:
    return np.interp(scores, [knot.score for knot in knots], [knot.probability for knot in knots])


@pytest.mark.parametrize("curve", CURVES)
def test_a_curve_comes_near_the_known_probability(curve: str) -> None:
    knots = CURVES[curve](*drawn())
    scores = np.linspace(-2.5, 2.5, 51)
    assert np.abs(at(knots, scores) - 1 / (1 + np.exp(1 - 2 * scores))).mean() < 0.03


@pytest.mark.parametrize("curve", CURVES)
def test_points_rise_by_score_and_never_fall_by_probability(curve: str) -> None:
    knots = CURVES[curve](*drawn(300))
    assert all(first.score < second.score for first, second in pairwise(knots))
    assert all(first.probability <= second.probability for first, second in pairwise(knots))
    assert all(knot.low <= knot.probability <= knot.high for knot in knots)
    assert all(knot.passages >= FEWEST_IN_REGION for knot in knots)


def test_steps_of_an_isotonic_curve_hold_all_passages_and_their_share() -> None:
    # 40 passages at score 0, 4 of them relevant; 20 at score 1, 15 relevant
    scores = np.array([0.0] * 40 + [1.0] * 20)
    relevant = np.array([True] * 4 + [False] * 36 + [True] * 15 + [False] * 5)
    low, high = fit_isotonic(scores, relevant)
    assert (low.score, low.passages, low.relevant, low.probability) == (0.0, 40, 4, (4 + 1) / (40 + 2))
    assert (high.score, high.passages, high.relevant, high.probability) == (1.0, 20, 15, (15 + 1) / (20 + 2))
    assert (low.low, low.high) == pytest.approx(wilson(4, 40))


def test_a_score_that_says_the_opposite_gives_a_level_curve() -> None:
    scores, relevant = drawn(500)
    for curve in CURVES.values():
        assert len({knot.probability for knot in curve(-scores, relevant)}) == 1


def test_wilsons_interval_is_that_of_the_formula() -> None:
    # k = 62 of n = 100, z = 1.96: middle (.62 + 1.9208/100) / (1 + 3.8416/100) = .61557,
    # half width 1.96 * sqrt(.62 * .38 / 100 + 3.8416 / 40000) / 1.038416 = .09342
    assert wilson(62, 100) == pytest.approx((0.61557 - 0.09342, 0.61557 + 0.09342), abs=1e-4)
    assert wilson(0, 50).low == 0
    assert wilson(50, 50).high == pytest.approx(1)


def test_calibration_error_by_hand() -> None:
    # two bins of two: |(.1 + .3) - 1| / 4 + |(.8 + .8) - 1| / 4 = .15 + .15
    probabilities = np.array([0.8, 0.1, 0.8, 0.3])
    relevant = np.array([True, False, False, True])
    assert calibration_error(probabilities, relevant, bins=2) == pytest.approx(0.15 + 0.15)
    assert calibration_error(np.array([0.0, 1.0]), np.array([False, True])) == 0
    assert calibration_error(np.array([]), np.array([], dtype=bool)) == 0


def test_log_loss_by_hand() -> None:
    losses = log_loss(np.array([0.25, 0.25]), np.array([True, False]))
    assert losses.tolist() == pytest.approx([-math.log(0.25), -math.log(0.75)])


def test_platts_targets_keep_a_separated_set_from_certainty() -> None:
    # 30 of 60 relevant: targets 31/32 and 1/32, so that no probability goes beyond them by much
    scores = np.concatenate([np.full(30, -1.0), np.full(30, 1.0)])
    knots = fit_platt(scores, scores > 0)
    assert knots[-1].probability == pytest.approx(31 / 32, abs=0.01)
    assert knots[0].probability == pytest.approx(1 / 32, abs=0.01)


def test_weights_are_shares_of_what_tells_and_none_is_negative() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(3000, 2))
    relevant = rng.random(3000) < 1 / (1 + np.exp(-(2 * values[:, 0] - values[:, 1])))
    weights = fit_weights(values, relevant)
    assert weights[0] == pytest.approx(2, abs=0.3)
    assert weights[1] == 0
    assert fit_weights(values[:, :1], relevant).tolist() == [1.0]
