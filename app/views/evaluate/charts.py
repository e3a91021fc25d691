"""Charts of an evaluation: each stage's interval, depth against time, where losses arise, wins and losses."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from app.views.widgets.palette import BAR, DOWN, SAME, UP, WORDS
from indexing.records import Query, QueryId
from training.evaluation.attribution import Attribution
from training.evaluation.comparison import Comparison
from training.evaluation.depth_sweep import Depth
from training.evaluation.significance import outcome

ROW_HEIGHT = 34  # pixels
FRAMELESS = alt.Config(view=alt.ViewConfig(stroke=None))
BOUND_WORDS = {
    "ranking": "more to ranking",
    "recall": "more to recall",
    "both": "equally to both",
    "absent": "most to missing passages",
    "none": "nothing",
}
BOUND_COLORS = {"ranking": DOWN, "recall": BAR, "both": SAME, "absent": SAME, "none": UP}
OUTCOME_COLORS = {"win": UP, "loss": DOWN, "tie": SAME}


def interval_chart(comparison: Comparison) -> alt.LayerChart:
    """Each system's mean with its 95 % interval; references are gray."""
    tested = {comparison.baseline, *comparison.versus}
    rows = [
        {
            "system": name,
            "mean": measured.means[comparison.measure],
            "low": comparison.intervals[name].low,
            "high": comparison.intervals[name].high,
            "kind": "system" if name in tested else "reference",
        }
        for name, measured in comparison.systems.items()
    ]
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        y=_rows(list(comparison.systems), "system"),
        color=alt.Color("kind:N", scale=alt.Scale(domain=["system", "reference"], range=[BAR, SAME]), legend=None),
        tooltip=[
            alt.Tooltip("system:N"),
            *(alt.Tooltip(f"{name}:Q", format=".4f") for name in ("mean", "low", "high")),
        ],
    )
    axis = alt.Axis(title=f"{comparison.measure}, 95 % interval", tickCount=5, domain=False, gridOpacity=0.35)
    lines = base.mark_rule(strokeWidth=4, opacity=0.45, strokeCap="round").encode(
        x=alt.X("low:Q", scale=alt.Scale(zero=False, padding=14), axis=axis), x2="high:Q"
    )
    points = base.mark_point(filled=True, size=90, opacity=1).encode(x=alt.X("mean:Q", axis=axis))
    words = base.mark_text(dy=-11, fontSize=11, color=WORDS).encode(
        x=alt.X("mean:Q", axis=axis), text=alt.Text("mean:Q", format=".3f"), color=alt.value(WORDS)
    )
    told = "; ".join(f"{row['system']} {row['mean']:.3f}, {row['low']:.3f} to {row['high']:.3f}" for row in rows)
    return alt.LayerChart(
        layer=[lines, points, words],
        height=ROW_HEIGHT * len(rows) + 50,
        config=FRAMELESS,
        description=f"{comparison.measure} of each stage with its 95 % interval. {told}.",
    )


def sweep_chart(sweep: Sequence[Depth], measure: str) -> alt.LayerChart:
    """The measure against re-ranking time, a point for each depth, with a dashed line for the candidates' best order.

    Where the time isn't known, the measure against the depth.
    """
    timed = all(row.seconds is not None for row in sweep)
    rows = [
        {
            "depth": row.depth,
            "cost": row.seconds * 1000 if timed and row.seconds is not None else row.depth,
            "value": row.measured.means[measure],
            "ceiling": row.ceiling.means[measure],
        }
        for row in sweep
    ]
    title = "re-ranking, ms per query" if timed else "candidates re-ranked"
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        x=alt.X("cost:Q", axis=alt.Axis(title=title, tickCount=5, domain=False, gridOpacity=0.35)),
        tooltip=[
            alt.Tooltip("depth:Q", title="candidates re-ranked", format=","),
            alt.Tooltip("cost:Q", title=title, format=",.1f"),
            alt.Tooltip("value:Q", title=measure, format=".4f"),
            alt.Tooltip("ceiling:Q", title="best order of these candidates", format=".4f"),
        ],
    )
    scale, axis = (
        alt.Scale(zero=False, padding=16),
        alt.Axis(title=measure, tickCount=5, domain=False, gridOpacity=0.35),
    )
    best = base.mark_line(color=SAME, strokeDash=[5, 4]).encode(y=alt.Y("ceiling:Q", scale=scale, axis=axis))
    line = base.mark_line(color=BAR, strokeWidth=2.4).encode(y=alt.Y("value:Q", scale=scale, axis=axis))
    points = base.mark_point(color=BAR, filled=True, size=70, opacity=1).encode(y=alt.Y("value:Q", axis=axis))
    words = base.mark_text(color=WORDS, dy=13, fontSize=11).encode(y=alt.Y("value:Q", axis=axis), text="depth:Q")
    told = "; ".join(f"depth {row['depth']}: {row['cost']:,.1f}, {row['value']:.4f}" for row in rows)
    return alt.LayerChart(
        layer=[best, line, points, words],
        height=260,
        config=FRAMELESS,
        description=f"{measure} by depth, each with {title}. {told}.",
    )


def ceiling_chart(attribution: Attribution) -> alt.LayerChart:
    """The measure of the re-ranked list, of the best order of its candidates, and of an ideal list."""
    means = attribution.means
    rows = [
        {"list": "re-ranked", "value": means["value"]},
        {"list": "oracle of its candidates", "value": means["ceiling"]},
        {"list": "ideal list", "value": means["ideal"]},
    ]
    return _bars(rows, "list", attribution.measure, ".4f", [BAR, SAME, SAME])


def bound_chart(attribution: Attribution) -> alt.LayerChart:
    """How many queries lose more to ranking, more to recall, equally to both, or nothing."""
    bounds = attribution.bounds
    shown = {name: words for name, words in BOUND_WORDS.items() if name != "absent" or bounds[name]}
    rows = [{"loses": words, "value": bounds[name]} for name, words in shown.items()]
    return _bars(rows, "loses", "queries", ",", [BOUND_COLORS[name] for name in shown])


def wins_chart(differences: Mapping[QueryId, float], queries: Sequence[Query], *, words: str) -> alt.Chart:
    """Each query's difference, the greatest loss first; `words` is the title of the axis."""
    ordered = sorted((query for query in queries if query.id in differences), key=lambda query: differences[query.id])
    rows = [
        {
            "place": place,
            "query": query.text,
            "difference": differences[query.id],
            "outcome": outcome(differences[query.id]),
        }
        for place, query in enumerate(ordered, start=1)
    ]
    thick = max(1.0, min(8.0, 500 / max(len(rows), 1)))
    counts = ", ".join(f"{sum(row['outcome'] == name for row in rows):,} of {name}" for name in OUTCOME_COLORS)
    told = f"{words} of each query, the greatest loss first: {counts}. The table below has them all."
    data = alt.InlineData(values=rows)
    chart: alt.Chart = alt.Chart(data, height=220, config=FRAMELESS, description=told).mark_rule(strokeWidth=thick)
    return chart.encode(
        x=alt.X("place:Q", axis=None, scale=alt.Scale(domain=[0, len(rows) + 1], nice=False)),
        y=alt.Y("difference:Q", axis=alt.Axis(title=words, tickCount=5, domain=False, gridOpacity=0.35)),
        y2=alt.datum(0),
        color=alt.Color(
            "outcome:N", scale=alt.Scale(domain=list(OUTCOME_COLORS), range=list(OUTCOME_COLORS.values())), legend=None
        ),
        tooltip=[alt.Tooltip("query:N"), alt.Tooltip("difference:Q", format="+.4f"), alt.Tooltip("outcome:N")],
    )


def _bars(rows: Sequence[Mapping[str, Any]], name: str, title: str, form: str, colors: list[str]) -> alt.LayerChart:
    names = [str(row[name]) for row in rows]
    most = max(float(row["value"]) for row in rows)
    base = alt.Chart(alt.InlineData(values=list(rows))).encode(
        y=_rows(names, name), tooltip=[alt.Tooltip(f"{name}:N"), alt.Tooltip("value:Q", title=title, format=form)]
    )
    axis = alt.Axis(title=title, tickCount=4, domain=False, ticks=False, gridOpacity=0.35)
    x = alt.X("value:Q", scale=alt.Scale(domain=[0, max(most, 1e-6) * 1.2], nice=False), axis=axis)
    bars = base.mark_bar(height=14, cornerRadius=2).encode(
        x=x, color=alt.Color(f"{name}:N", scale=alt.Scale(domain=names, range=colors), legend=None)
    )
    words = base.mark_text(align="left", dx=6, fontSize=12, color=WORDS).encode(
        x=x, text=alt.Text("value:Q", format=form)
    )
    told = "; ".join(f"{row[name]} {format(row['value'], form)}" for row in rows)
    return alt.LayerChart(
        layer=[bars, words],
        height=ROW_HEIGHT * len(rows) + 40,
        config=FRAMELESS,
        description=f"{title[:1].upper()}{title[1:]}. {told}.",
    )


def _rows(names: Sequence[str], field: str) -> alt.Y:
    return alt.Y(
        f"{field}:N",
        sort=list(names),
        axis=alt.Axis(title=None, domain=False, ticks=False, labelFlush=False, labelLimit=150),
    )
