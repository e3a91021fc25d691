"""Clicks over expected clicks: a passage's clicks, divided by those that its places get from all passages.

COEC (Zhang and Jones 2007, "Comparing click logs and editorial labels for training query rewriting"), as OpenSearch's
Search Relevance Workbench makes judgments of clicks: what stands first is clicked more because it stands first, and
this is divided out.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from indexing.errors import SettingsError
from indexing.records import PassageId
from training.judgments.clicks.views import Views

STEPS = (1, 2, 5, 10, 20, 50, 100)  # least numbers of views that a table shows
GRADES = 3  # grades above 0


@dataclass(frozen=True, kw_only=True)
class ClickSettings:
    """When clicks make a judgment, and which."""

    least_views: int = 10
    """Views that a passage needs for a query."""
    least_expected: float = 1.0
    """Clicks that an average passage would have got in its place: with fewer, one click by chance looks like a hit."""
    places: int = 20
    """Places from the first that are counted; OpenSearch's `maxRank` is 20 too."""
    bounds: tuple[float, ...] = (0.5, 1.0, 2.0)
    """Clicks over expected clicks from which the grade is 1, 2 and 3."""

    def __post_init__(self) -> None:
        if self.least_views < 1:
            raise SettingsError(f"least_views is {self.least_views}; give 1 or more.")
        if not 0 < self.least_expected < float("inf"):
            raise SettingsError(f"least_expected is {self.least_expected}; give a number of clicks above 0.")
        if self.places < 1:
            raise SettingsError(f"places is {self.places}; give 1 or more.")
        if len(self.bounds) != GRADES or not 0 < self.bounds[0] < self.bounds[1] < self.bounds[2] < float("inf"):
            shown = ", ".join(f"{bound:g}" for bound in self.bounds)
            raise SettingsError(f"bounds are {shown}; give {GRADES} numbers above 0 that rise, for grades 1, 2 and 3.")


@dataclass(frozen=True)
class PlaceRate:
    """How often a place is clicked, whatever stands there."""

    place: int
    views: int
    clicks: int

    @property
    def rate(self) -> float:
        """Clicks a view."""
        return self.clicks / self.views


@dataclass(frozen=True, kw_only=True)
class ClickedPair:
    """A passage's views and clicks for a query, over all places where it stood."""

    query: str
    """In the form in which queries are compared."""
    passage_id: PassageId
    views: int
    clicks: int
    expected: float
    """Clicks that the places get on average from so many views: the sum of views x rate over the places."""

    @property
    def ratio(self) -> float:
        """Clicks over expected clicks: 1 is as often as anything in its places; 0 where none are expected."""
        return self.clicks / self.expected if self.expected else 0.0

    def grade(self, bounds: Sequence[float]) -> int:
        """How many of the bounds the ratio reaches."""
        return bisect_right(bounds, self.ratio)


class PlacePart(NamedTuple):
    """What one place gave a passage, or a query: its share of the expected clicks, and the clicks that came."""

    place: int
    views: int
    clicks: int
    rate: float
    """Clicks a view of the place, whatever stands there."""

    @property
    def expected(self) -> float:
        """Clicks that the place gets on average from so many views."""
        return self.views * self.rate


def place_rates(views: Views) -> list[PlaceRate]:
    """Views and clicks of each place that was seen, the first place first."""
    counts: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    for places in views.seen.values():
        for place, seen in places.items():
            counts[place][0] += seen.views
            counts[place][1] += seen.clicks
    return [PlaceRate(place, *counts[place]) for place in sorted(counts)]


def clicked_pairs(views: Views) -> list[ClickedPair]:
    """Every pair of a query and a passage that was seen, by query and then by falling ratio."""
    rates = {row.place: row.rate for row in place_rates(views)}
    pairs = [
        ClickedPair(
            query=query,
            passage_id=passage,
            views=sum(seen.views for seen in places.values()),
            clicks=sum(seen.clicks for seen in places.values()),
            expected=sum(seen.views * rates[place] for place, seen in places.items()),
        )
        for (query, passage), places in views.seen.items()
    ]
    return sorted(pairs, key=lambda pair: (pair.query, -pair.ratio, pair.passage_id))


def place_parts(views: Views, pair: ClickedPair, rates: Sequence[PlaceRate]) -> list[PlacePart]:
    """How a pair's expected clicks come about: their sum over the places, the first place first."""
    known, seen = {row.place: row.rate for row in rates}, views.seen[pair.query, pair.passage_id]
    return [PlacePart(place, *seen[place], known[place]) for place in sorted(seen)]


def enough(pairs: Sequence[ClickedPair], settings: ClickSettings) -> list[ClickedPair]:
    """The pairs with the least number of views and of expected clicks."""
    return [pair for pair in pairs if pair.views >= settings.least_views and pair.expected >= settings.least_expected]
