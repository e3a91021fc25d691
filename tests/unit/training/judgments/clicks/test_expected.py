"""Clicks over expected clicks, by hand: what a place gives is divided out."""

from pathlib import Path

import pytest

from indexing.errors import CorpusError, SettingsError
from indexing.records import PassageId
from tests.unit.training.judgments.clicks.logs import Record, event, query, search, swapped, write_log
from training.judgments.clicks.expected import (
    ClickedPair,
    ClickSettings,
    clicked_pairs,
    enough,
    place_parts,
    place_rates,
)
from training.judgments.clicks.log import read_log
from training.judgments.clicks.views import Seen, Views, count_views


def views_of(folder: Path, *records: Record, places: int = 20) -> tuple[Views, list[str]]:
    notes: list[str] = []
    log = read_log([write_log(folder / "log.jsonl", *records)], note=notes.append)
    return count_views(log, places=places, note=notes.append), notes


def test_clicks_are_divided_by_what_the_places_get(tmp_path: Path) -> None:
    views, notes = views_of(tmp_path, *swapped("What do bees store?", "a1", "a4"))
    assert [(row.place, row.views, row.clicks, row.rate) for row in place_rates(views)] == [
        (1, 20, 8, 8 / 20),
        (2, 20, 4, 4 / 20),
    ]
    best, other = clicked_pairs(views)
    assert (best.passage_id, best.views, best.clicks) == ("a1", 20, 9)
    assert best.expected == pytest.approx(10 * 8 / 20 + 10 * 4 / 20)  # 6 clicks
    assert best.ratio == pytest.approx(9 / 6)
    assert other.passage_id == "a4"
    assert other.ratio == pytest.approx(3 / 6)
    assert (best.grade((0.5, 1, 2)), other.grade((0.5, 1, 2))) == (2, 1)  # 1.5 and 0.5; a bound itself is reached
    assert (views.searches, views.total, notes) == (20, Seen(40, 12), [])


def test_a_passage_that_only_its_place_favors_is_not_preferred(tmp_path: Path) -> None:
    """Both are clicked as often as their places are: 3 of 10 at the first, 1 of 10 at the second."""
    records = [
        record
        for number in range(10)
        for record in search(f"q{number}", "bees", ("a1", "a2"), ["a1"] * (number < 3) + ["a2"] * (number == 5))
    ]
    first, second = clicked_pairs(views_of(tmp_path, *records)[0])
    assert (first.clicks, second.clicks) == (3, 1)
    assert first.ratio == pytest.approx(second.ratio) == pytest.approx(1)


def test_queries_that_say_the_same_are_one_and_keep_their_first_text(tmp_path: Path) -> None:
    views, _ = views_of(tmp_path, *search("1", "Wax?", ["a1"], ["a1"]), *search("2", " wax ", ["a1"]))
    assert views.texts == {"wax": "Wax?"}
    assert views.seen == {("wax", "a1"): {1: (2, 1)}}


def test_without_impressions_everything_counts_that_a_search_returned(tmp_path: Path) -> None:
    views, notes = views_of(tmp_path, query("1", "wax", "a1", "a2", "a1"), event("click", "1", "a2", 2))
    assert (views.by_impressions, views.seen) == (False, {("wax", "a1"): {1: (1, 0)}, ("wax", "a2"): {2: (1, 1)}})
    assert notes == []


def test_views_that_cannot_be_counted_are_told(tmp_path: Path) -> None:
    views, notes = views_of(
        tmp_path,
        *search("1", "wax", ["a1", "a2", "a3"], ["a1"]),
        event("click", "1", "b1", 1),  # never shown
        event("impression", "gone", "a1", 1),  # of a query without a text
        event("impression", "1", "b2"),  # without a place
        *search("2", "wax", ["a1"]),
        query("2", "bees"),
        query("3", "wax", "a1"),  # without impressions
        event("click_through", "1", "a2", 1),
        places=2,
    )
    assert views.seen == {("wax", "a1"): {1: (1, 1)}, ("wax", "a2"): {2: (1, 1)}}
    assert notes == [
        "1 view left out: they lie below place 2.",
        "1 view left out: nothing tells what was asked.",
        "1 view left out: nothing tells their place.",
        "1 view left out: their query id has two texts.",
        "1 click left out: the log doesn't show that what was clicked had been seen.",
        "1 click names another place than the view; the view's place counts.",
        "1 search has no impression and no part in the counts.",
    ]


def test_places_counted_from_0_are_told_and_counted_from_1(tmp_path: Path) -> None:
    views, notes = views_of(
        tmp_path,
        query("1", "wax"),
        event("impression", "1", "a1", 0),
        event("impression", "1", "a2", 1),
        event("click", "1", "a2", 1),
    )
    assert [row.place for row in place_rates(views)] == [1, 2]
    assert notes == ["The log counts places from 0; here they are counted from 1."]


def test_a_log_that_tells_nothing_of_relevance_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="holds no click"):
        views_of(tmp_path, *search("1", "wax", ["a1"]))
    with pytest.raises(CorpusError, match="neither impressions nor what the queries returned"):
        views_of(tmp_path, query("1", "wax"), event("click", "1", "a1", 1))


def pair(views: int, expected: float) -> ClickedPair:
    return ClickedPair(query="wax", passage_id=PassageId("a1"), views=views, clicks=1, expected=expected)


def test_a_judgment_needs_views_and_expected_clicks() -> None:
    settings = ClickSettings(least_views=10, least_expected=1)
    pairs = [pair(9, 1), pair(10, 0.9), pair(10, 1)]
    assert enough(pairs, settings) == pairs[2:]
    assert pair(10, 0).ratio == 0  # nobody clicks there, so nothing can be told


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"least_views": 0}, "least_views is 0"),
        ({"least_expected": 0.0}, "least_expected is 0"),
        ({"places": 0}, "places is 0"),
        ({"bounds": (0.5, 0.5, 2.0)}, "bounds are 0.5, 0.5, 2; give 3 numbers above 0 that rise"),
        ({"bounds": (0.5, 1.0)}, "bounds are 0.5, 1;"),
    ],
)
def test_settings_out_of_range_are_refused(values: dict[str, float], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        ClickSettings(**values)  # type: ignore[arg-type]  # values of several types


def test_the_parts_of_the_places_add_up_to_what_is_expected(tmp_path: Path) -> None:
    views, _ = views_of(tmp_path, *swapped("wax", "a1", "a4"))
    best, _ = clicked_pairs(views)
    first, second = place_parts(views, best, place_rates(views))
    assert (first.place, first.views, first.clicks, first.rate, first.expected) == (1, 10, 6, 8 / 20, 10 * 8 / 20)
    assert (second.place, second.views, second.clicks, second.rate) == (2, 10, 3, 4 / 20)
    assert first.expected + second.expected == pytest.approx(best.expected)
