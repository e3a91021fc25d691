"""A query's arithmetic in words, the table of limits, and the plots of clicks by place, from numbers worked by hand."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.views.teach.clicks.charts import query_chart, rate_chart
from app.views.teach.clicks.tables import arithmetic, limits_html, pairs_html, places_words
from indexing.records import PassageId
from tests.unit.training.judgments.clicks.logs import swapped, write_log
from training.judgments.clicks.expected import ClickedPair, ClickSettings, PlacePart, PlaceRate
from training.judgments.clicks.judge import ClickJudgments, judge_clicks

PARTS = [PlacePart(1, 10, 6, 0.4), PlacePart(2, 10, 3, 0.2)]  # 4 + 2 clicks are expected
PAIR = ClickedPair(query="wax", passage_id=PassageId("a1"), views=20, clicks=9, expected=6.0)
EXPECTED = "Expected at places 1 and 2: 10 × 0.400 + 10 × 0.200 = 6.00."
BOUNDS = (0.5, 1.0, 2.0)


@pytest.mark.parametrize(
    ("clicks", "settings", "rest"),
    [
        (
            9,
            ClickSettings(),
            "It got 9 clicks, 1.50 times as many: at least 1 and below 2 is grade 2 (partly).",
        ),  # 9 / 6
        (12, ClickSettings(), "It got 12 clicks, 2.00 times as many: at least 2 is grade 3 (answers)."),
        (1, ClickSettings(), "It got 1 click, 0.17 times as many: below 0.5 is grade 0 (not relevant)."),
        (9, ClickSettings(least_views=21), "It got 9 clicks on 20 views; 21 are needed."),
        (9, ClickSettings(least_expected=7), "It got 9 clicks, but 7 must be expected for a judgment."),
    ],
)
def test_each_step_to_a_grade_is_told(clicks: int, settings: ClickSettings, rest: str) -> None:
    assert arithmetic(replace(PAIR, clicks=clicks), PARTS, settings) == f"{EXPECTED} {rest}"


@pytest.mark.parametrize(
    ("places", "words"),
    [
        ([3], "place 3"),
        ([1, 2], "places 1 and 2"),
        ([1, 3, 4, 5, 9], "places 1, 3 to 5 and 9"),
        ([2, 3, 4], "places 2 to 4"),
    ],
)
def test_places_are_told_as_runs(places: list[int], words: str) -> None:
    assert places_words(places) == words


def test_the_chosen_limit_is_marked() -> None:
    table = limits_html([(1, 2_000, 40), (10, 300, 12)], chosen=10)
    assert '<tr><th scope="row">1</th><td>2,000</td><td>40</td></tr>' in table
    assert '<tr aria-current="true"><th scope="row">10</th><td>300</td><td>12</td></tr>' in table


@pytest.fixture
def judgments(tmp_path: Path) -> ClickJudgments:
    return judge_clicks([write_log(tmp_path / "log.jsonl", *swapped("wax", "a1", "a4"))], ClickSettings())


def test_passages_are_data(judgments: ClickJudgments) -> None:
    html = pairs_html(judgments, judgments.pairs, text=lambda passage: f"<script>{passage}</script>")
    assert "&lt;script&gt;a1" in html
    assert "<script>" not in html
    assert html.index(">partly</span>") < html.index(">related</span>")
    few = replace(judgments, settings=ClickSettings(least_views=99))
    assert pairs_html(few, few.pairs, text=str).count("not judged") == 2


def test_a_querys_clicks_stand_beside_those_to_be_expected() -> None:
    parts = [*PARTS, PlacePart(2, 5, 0, 0.2)]
    chart = query_chart(parts)
    assert values_of(chart) == [
        {"place": 1, "clicks": 6, "expected": 4.0, "views": 10},
        {"place": 2, "clicks": 3, "expected": 3.0, "views": 15},  # 10 * 0.2 + 5 * 0.2
    ]
    assert chart.to_dict()["description"] == (
        "This query's clicks by place. place 1: 6 clicks, 4.00 expected; place 2: 3 clicks, 3.00 expected."
    )


def test_the_rate_of_each_place_is_told_to_who_cannot_see_it() -> None:
    chart = rate_chart([PlaceRate(1, 20, 8), PlaceRate(2, 20, 4)])
    assert [row["rate"] for row in values_of(chart)] == [8 / 20, 4 / 20]
    assert chart.to_dict()["description"] == "Clicks a view by place. place 1: 0.400; place 2: 0.200."


def values_of(chart: Any) -> list[dict[str, Any]]:
    (values,) = chart.to_dict()["datasets"].values()
    return list(values)
