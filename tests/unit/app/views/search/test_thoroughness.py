"""Fast, usual and thorough are derived from what an index answers with."""

import pytest

from app.views.search.thoroughness import named_depths, seconds_words
from search.settings import PipelineSettings


@pytest.mark.parametrize(
    ("usual", "depth", "named"),
    [
        (50, 100, {"Fast": 20, "Usual": 50, "Thorough": 100}),  # 0.4 x 50, 2 x 50
        (30, 100, {"Fast": 12, "Usual": 30, "Thorough": 60}),
        (80, 100, {"Fast": 32, "Usual": 80, "Thorough": 100}),  # no more than there are candidates
        (800, 5000, {"Fast": 320, "Usual": 800, "Thorough": 1000}),  # nor than the field takes
        (100, 100, {"Fast": 40, "Usual": 100}),
        (50, 20, {"Fast": 8, "Usual": 20}),  # fewer candidates were set than are usually re-ranked
        (1, 100, {"Usual": 1, "Thorough": 2}),
        (0, 100, {}),
    ],
)
def test_the_three_depths(usual: int, depth: int, named: dict[str, int]) -> None:
    settings = PipelineSettings(depth=max(usual, depth), rerank_depth=usual)
    assert named_depths(settings, depth=depth) == named


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.004, "under 0.1 s"), (0.37, "about 0.4 s"), (1.96, "about 2.0 s"), (9.97, "about 10 s"), (61.5, "about 62 s")],
)
def test_a_prediction_is_no_more_exact_than_it_can_be(seconds: float, words: str) -> None:
    assert seconds_words(seconds) == words
