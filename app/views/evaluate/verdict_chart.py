"""What each pipeline gains, with its interval, against the milliseconds that it takes."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from app.views.widgets.palette import BAR, SAME, WORDS
from training.evaluation.settings import MAIN_MEASURE

FRAMELESS = alt.Config(view=alt.ViewConfig(stroke=None))


def gain_words(baseline: str) -> str:
    """What its points show; the chart has no room for it beside the axis."""
    return f"{MAIN_MEASURE} minus that of {baseline}, with its 95 % interval"


def gain_chart(pipelines: Sequence[Mapping[str, Any]], *, baseline: str) -> alt.LayerChart:
    """A point with its 95 % interval for each pipeline whose time is known; the dashed line is the baseline."""
    rows = _rows(pipelines)
    axis = alt.Axis(title=None, tickCount=5, domain=False, gridOpacity=0.35, format="+.2f")
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        x=alt.X(
            "milliseconds:Q",
            scale=alt.Scale(zero=True, padding=16),
            axis=alt.Axis(title="ms a query (median)", tickCount=5, domain=False, gridOpacity=0.35),
        ),
        tooltip=[
            alt.Tooltip("pipeline:N"),
            alt.Tooltip("milliseconds:Q", format=",.0f"),
            *(alt.Tooltip(f"{name}:Q", format="+.4f") for name in ("gain", "low", "high")),
        ],
    )
    zero = alt.Chart(alt.InlineData(values=[{"gain": 0}])).mark_rule(color=SAME, strokeDash=[5, 4])
    lines = base.mark_rule(color=BAR, strokeWidth=3, opacity=0.45, strokeCap="round").encode(
        y=alt.Y("low:Q", axis=axis), y2="high:Q"
    )
    points = base.mark_point(color=BAR, filled=True, size=80, opacity=1).encode(y=alt.Y("gain:Q", axis=axis))
    words = base.mark_text(align="left", dx=8, fontSize=11, color=WORDS).encode(
        y=alt.Y("gain:Q", axis=axis), text="pipeline:N"
    )
    return alt.LayerChart(
        layer=[zero.encode(y=alt.Y("gain:Q", axis=axis)), lines, points, words],
        height=300,
        config=FRAMELESS,
        description=f"{gain_words(baseline)}, by milliseconds a query. {_told(rows)}.",
    )


def _rows(pipelines: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "pipeline": row["name"],
            "milliseconds": row["milliseconds"]["p50"],
            "gain": row["versus_baseline"]["difference"],
            "low": row["versus_baseline"]["interval"][0],
            "high": row["versus_baseline"]["interval"][1],
        }
        for row in pipelines
        if row.get("versus_baseline") and row["milliseconds"]
    ]


def _told(rows: Sequence[Mapping[str, Any]]) -> str:
    return "; ".join(
        f"{row['pipeline']} {row['milliseconds']:,.0f} ms, {row['gain']:+.3f}, {row['low']:+.3f} to {row['high']:+.3f}"
        for row in rows
    )
