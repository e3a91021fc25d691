"""Every kind of target is a logit on one scale, by arithmetic that can be followed by hand."""

import numpy as np
import pytest

from indexing.errors import SettingsError
from training.targets import (
    TargetSettings,
    as_logits,
    grade_as_logit,
    mixed_logits,
    run_as_logits,
)


def test_a_cosine_of_a_half_is_0_and_each_twentieth_is_1() -> None:
    assert as_logits(0.5) == 0
    assert as_logits(0.55) == pytest.approx(1)  # (0.55 - 0.5) * 20
    assert as_logits(-1.0) == -30  # (-1 - 0.5) * 20


def test_many_cosines_become_logits_of_their_own_type() -> None:
    logits = as_logits(np.array([1, 0.5, 0], dtype=np.float32))
    assert logits.tolist() == [10, 0, -10]
    assert logits.dtype == np.float32


@pytest.mark.parametrize(
    ("grade", "logit"),
    [
        (3, 6 * 3 / 3 + 0.25 * 8),
        (1, 6 * 1 / 3 + 0.25 * 8),
        (0, 0.25 * 8),
        (-2, 0.25 * 8),  # as 0
    ],
)
def test_a_grade_takes_a_quarter_of_the_first_stage_s_logit(grade: int, logit: float) -> None:
    assert grade_as_logit(grade, 8.0, highest=3) == pytest.approx(logit)


def test_a_run_s_scores_have_mean_0_and_deviation_2_whatever_their_scale() -> None:
    # of 3, 2 and 1 the mean is 2 and the standard deviation sqrt(2 / 3)
    expected = [(2 / 3) ** -0.5 * 2, 0, -((2 / 3) ** -0.5) * 2]
    for scale in (1, 100):
        logits = run_as_logits(np.array([3, 2, 1], dtype=np.float32) * scale)
        assert logits is not None
        assert logits.tolist() == pytest.approx(expected, abs=1e-5)


def test_equal_scores_of_a_run_have_no_logits() -> None:
    assert run_as_logits(np.array([2, 2], dtype=np.float32)) is None


def test_grade_and_teacher_are_mixed_by_their_weights() -> None:
    settings = TargetSettings(grade=0.7, teacher=0.5, temperature=2)
    assert mixed_logits((3, 0), (4, -2), settings) == pytest.approx(((2.1 + 2) / 2, (0 - 1) / 2))
    assert mixed_logits(None, (4, -2), settings) == pytest.approx((1, -0.5))  # nobody judged: the teacher alone


@pytest.mark.parametrize("values", [{"grade": -1}, {"teacher": float("nan")}, {"temperature": 0}, {"grade": 1e9}])
def test_weights_that_mean_nothing_are_refused(values: dict[str, float]) -> None:
    with pytest.raises(SettingsError, match=next(iter(values))):
        TargetSettings(**values)
