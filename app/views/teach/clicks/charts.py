"""Plots of clicks by place: how often each place is clicked, and one query's clicks beside those to be expected."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

import altair as alt

from app.views.widgets.palette import BAR, DOWN, SAME
from training.judgments.clicks.expected import PlacePart, PlaceRate

HEIGHT = 200  # pixels
FRAMELESS = alt.Config(view=alt.ViewConfig(stroke=None))


def rate_chart(rates: Sequence[PlaceRate]) -> alt.LayerChart:
    """Clicks a view by place, whatever stands there."""
    rows = [{"place": row.place, "rate": row.rate, "views": row.views, "clicks": row.clicks} for row in rates]
    told = "; ".join(f"place {row.place}: {row.rate:.3f}" for row in rates)
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        x=_places(),
        y=alt.Y("rate:Q", axis=_height()),
        tooltip=[
            alt.Tooltip("place:O"),
            alt.Tooltip("rate:Q", title="clicks a view", format=".3f"),
            alt.Tooltip("views:Q", format=","),
            alt.Tooltip("clicks:Q", format=","),
        ],
    )
    return alt.LayerChart(
        layer=[base.mark_bar(color=SAME, cornerRadiusEnd=2)],
        height=HEIGHT,
        config=FRAMELESS,
        description=f"Clicks a view by place. {told}.",
    )


def query_chart(parts: Iterable[PlacePart]) -> alt.LayerChart:
    """One query's clicks by place as bars, and as lines the clicks that these places get on average."""
    sums: dict[int, list[float]] = defaultdict(lambda: [0, 0.0, 0])
    for part in parts:
        at = sums[part.place]
        at[0], at[1], at[2] = at[0] + part.clicks, at[1] + part.expected, at[2] + part.views
    rows = [
        {"place": place, "clicks": clicks, "expected": expected, "views": views}
        for place, (clicks, expected, views) in sorted(sums.items())
    ]
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        x=_places(),
        tooltip=[
            alt.Tooltip("place:O"),
            alt.Tooltip("views:Q", format=","),
            alt.Tooltip("clicks:Q", format=","),
            alt.Tooltip("expected:Q", title="expected clicks", format=",.2f"),
        ],
    )
    clicks = base.mark_bar(color=BAR, cornerRadiusEnd=2).encode(y=alt.Y("clicks:Q", axis=_height()))
    expected = base.mark_tick(color=DOWN, thickness=3).encode(y=alt.Y("expected:Q", axis=_height()))
    told = "; ".join(f"place {row['place']}: {row['clicks']:,} clicks, {row['expected']:.2f} expected" for row in rows)
    return alt.LayerChart(
        layer=[clicks, expected],
        height=HEIGHT,
        config=FRAMELESS,
        description=f"This query's clicks by place. {told}.",
    )


def _places() -> alt.X:
    return alt.X("place:O", axis=alt.Axis(title="place", labelAngle=0, domain=False, ticks=False, labelOverlap=True))


def _height() -> alt.Axis:
    return alt.Axis(title=None, tickCount=4, domain=False, gridOpacity=0.35, minExtent=30)
