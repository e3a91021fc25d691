"""A slope chart: each passage's rank in A and in B, joined by a line; those of one list alone stand open."""

from typing import Any

import altair as alt
import streamlit as st

from app.views.palette import DOWN, SAME, UP, WORDS
from indexing.records import PassageId
from search.pipeline import SearchTrace

LABEL = 60  # characters of a passage beside its line, before it is cut to the chart's width
ROW = 26  # pixels between two ranks


def slope_chart(a: SearchTrace, b: SearchTrace, *, shown: int) -> alt.LayerChart:
    """Passages among the first `shown` places of A or B; a rank beyond, in the other list, shares one row."""
    rows = _rows(a, b, shown)
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
            scale=alt.Scale(domain=["up", "down", "same", "alone"], range=[UP, DOWN, SAME, SAME]),
            legend=None,
        ),
        tooltip=[
            alt.Tooltip("text:N", title="passage"),
            alt.Tooltip("a:N", title="rank in A"),
            alt.Tooltip("b:N", title="rank in B"),
        ],
    )
    lines = base.mark_line(strokeWidth=2.2, opacity=0.85, interpolate="monotone")
    shared = base.transform_filter("datum.way != 'alone'").mark_point(size=46, filled=True, opacity=1)
    alone = base.transform_filter("datum.way == 'alone'").mark_point(size=46, filled=False, opacity=1)
    words = (
        base.transform_filter(f"datum.end == 1 && datum.place <= {shown}")
        .mark_text(align="left", dx=10, limit=alt.ExprRef("width * 0.53"), fontSize=12)
        .encode(text="label:N", color=alt.value(WORDS))
    )
    view = alt.Config(view=alt.ViewConfig(stroke=None))
    return alt.LayerChart(layer=[lines, shared, alone, words], height=ROW * last + 8, config=view)


def show_slopes(a: SearchTrace, b: SearchTrace, *, shown: int) -> None:
    """The chart with its heading."""
    st.html(
        '<h3 class="sl-heading">What differs <small>A → B &ensp;'
        '<span class="sl-move sl-up">▲ higher in B</span> <span class="sl-move sl-down">▼ lower</span> '
        '<span class="sl-move sl-same">· same</span> <span class="sl-move sl-same">○ only in one</span></small></h3>'
    )
    st.altair_chart(slope_chart(a, b, shown=shown), key="compare_slopes")


def _rows(a: SearchTrace, b: SearchTrace, shown: int) -> list[dict[str, Any]]:
    """A row for each end of a passage's line: one in A and one in B, or the one that there is."""
    ranks = a.final.ranks(), b.final.ranks()
    texts = {**a.passages, **b.passages}
    ids = dict.fromkeys([*a.final.top(shown).passage_ids, *b.final.top(shown).passage_ids])
    rows = []
    for passage_id in ids:
        found = [rank.get(passage_id) for rank in ranks]
        common = _common(passage_id, texts[passage_id].content, found)
        rows += [
            {**common, "end": end, "place": min(rank, shown + 1)} for end, rank in enumerate(found) if rank is not None
        ]
    return rows


def _common(passage_id: PassageId, text: str, ranks: list[int | None]) -> dict[str, Any]:
    a, b = ranks
    moved = 0 if a is None or b is None else a - b
    way = "alone" if a is None or b is None else "up" if moved > 0 else "down" if moved < 0 else "same"
    mark = {"up": f"▲{moved}", "down": f"▼{-moved}", "same": "·", "alone": "○"}[way]
    told = {"a": str(a or "not in its list"), "b": str(b or "not in its list")}
    return {"id": passage_id, "text": text[:160], "label": f"{mark}  {text[:LABEL]}", "way": way, **told}
