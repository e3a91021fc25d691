"""A bump chart: each passage's rank before and after re-ranking, joined by a line."""

from typing import Any

import altair as alt
import streamlit as st

from app.views.palette import DOWN, SAME, UP, WORDS
from indexing.records import PassageId
from search.pipeline import SearchTrace

LABEL = 60  # characters of a passage beside its line, before it is cut to the chart's width
ROW = 26  # pixels between two ranks


def movement_chart(trace: SearchTrace, *, shown: int) -> alt.LayerChart:
    """Passages that are among the first `shown` places before or after; ranks beyond share one row."""
    rows = _rows(trace, shown)
    last = max((row["place"] for row in rows), default=1)
    axis = alt.Axis(
        values=list(range(1, last + 1)),
        labelExpr=f"datum.value > {shown} ? 'below' : datum.value",
        title=None,
        grid=False,
        domain=False,
        ticks=False,
    )
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        x=alt.X("end:Q", scale=alt.Scale(domain=[-0.04, 2.3]), axis=None),
        y=alt.Y("place:Q", scale=alt.Scale(domain=[last + 0.5, 0.5], nice=False, zero=False), axis=axis),
        detail="id:N",
        color=alt.Color(
            "way:N",
            scale=alt.Scale(domain=["up", "down", "same"], range=[UP, DOWN, SAME]),
            legend=None,
        ),
        tooltip=[
            alt.Tooltip("text:N", title="passage"),
            alt.Tooltip("before:Q", title="first stage"),
            alt.Tooltip("after:Q", title="re-ranked"),
        ],
    )
    lines = base.mark_line(strokeWidth=2.2, opacity=0.85, interpolate="monotone")
    points = base.mark_point(size=46, filled=True, opacity=1)
    words = (
        base.transform_filter(f"datum.end == 1 && datum.place <= {shown}")
        .mark_text(align="left", dx=10, limit=alt.ExprRef("width * 0.53"), fontSize=12)
        .encode(text="label:N", color=alt.value(WORDS))
    )
    view = alt.Config(view=alt.ViewConfig(stroke=None))
    return alt.LayerChart(layer=[lines, points, words], height=ROW * last + 8, config=view)


def show_movement(trace: SearchTrace, *, shown: int) -> None:
    """The chart with its heading."""
    st.html(
        '<h3 class="sl-heading">What moved <small>first stage → re-ranked &ensp;'
        '<span class="sl-move sl-up">▲ up</span> <span class="sl-move sl-down">▼ down</span> '
        '<span class="sl-move sl-same">· same</span></small></h3>'
    )
    st.altair_chart(movement_chart(trace, shown=shown), key="search_movement")


def _rows(trace: SearchTrace, shown: int) -> list[dict[str, Any]]:
    """Two rows for each passage: its left end and its right end."""
    before, after = trace.fused.ranks(), trace.final.ranks()
    ids = dict.fromkeys([*trace.fused.top(shown).passage_ids, *trace.final.top(shown).passage_ids])
    rows = []
    for passage_id in ids:
        if passage_id in after:
            for end, rank in ((0, before[passage_id]), (1, after[passage_id])):
                common = _common(trace, passage_id, before=before[passage_id], after=after[passage_id])
                rows.append({**common, "end": end, "place": min(rank, shown + 1)})
    return rows


def _common(trace: SearchTrace, passage_id: PassageId, *, before: int, after: int) -> dict[str, Any]:
    text = trace.passages[passage_id].content
    way = "up" if before > after else "down" if before < after else "same"
    mark = {"up": f"▲{before - after}", "down": f"▼{after - before}", "same": "·"}[way]
    label = f"{mark}  {text[:LABEL]}"
    return {"id": passage_id, "text": text[:160], "label": label, "before": before, "after": after, "way": way}
