"""Draws two rankings side by side: each passage's rank on the left and on the right, joined by a line."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from app.views.widgets.palette import WORDS

LABEL_LENGTH = 60  # characters of a passage beside its line, before it is cut to the chart's width
ROW_HEIGHT = 26  # pixels between two ranks


def rank_lines(
    rows: Sequence[Mapping[str, Any]],
    *,
    shown: int,
    colors: Mapping[str, str],
    tooltips: Sequence[alt.Tooltip],
    hollow: str = "",
) -> alt.LayerChart:
    """A chart of lines between two columns of ranks.

    Args:
        rows: one end of a line each: `id`, `text`, `label`, `end` (0 left, 1 right), `place`, `direction`, and the
            fields of the `tooltips`.
        shown: ranks that have a row of their own; all lower ones share one.
        colors: the color of each `direction`.
        tooltips: shown beside the passage while the pointer rests on a line.
        hollow: the direction whose points are not filled.
    """
    last = max((row["place"] for row in rows), default=1)
    axis = alt.Axis(
        values=list(range(1, last + 1)),
        labelExpr=f"datum.value > {shown} ? 'below' : datum.value",
        title=None,
        grid=False,
        domain=False,
        ticks=False,
    )
    base = alt.Chart(alt.InlineData(values=[dict(row) for row in rows])).encode(
        x=alt.X("end:Q", scale=alt.Scale(domain=[-0.04, 2.3]), axis=None),
        y=alt.Y("place:Q", scale=alt.Scale(domain=[last + 0.5, 0.5], nice=False, zero=False), axis=axis),
        detail="id:N",
        color=alt.Color("direction:N", scale=alt.Scale(domain=list(colors), range=list(colors.values())), legend=None),
        tooltip=[alt.Tooltip("text:N", title="passage"), *tooltips],
    )
    lines = base.mark_line(strokeWidth=2.2, opacity=0.85, interpolate="monotone")
    closed = base.transform_filter(f"datum.direction != '{hollow}'") if hollow else base
    points = [closed.mark_point(size=46, filled=True, opacity=1)]
    if hollow:
        points.append(
            base.transform_filter(f"datum.direction == '{hollow}'").mark_point(size=46, filled=False, opacity=1)
        )
    words = (
        base.transform_filter(f"datum.end == 1 && datum.place <= {shown}")
        .mark_text(align="left", dx=10, limit=alt.ExprRef("width * 0.53"), fontSize=12)
        .encode(text="label:N", color=alt.value(WORDS))
    )
    view = alt.Config(view=alt.ViewConfig(stroke=None))
    return alt.LayerChart(layer=[lines, *points, words], height=ROW_HEIGHT * last + 8, config=view)
