"""Draws two rankings side by side: each passage's rank on the left and on the right, joined by a line."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from app.views.widgets.palette import WORDS

LABEL_LENGTH = 60  # characters of a passage beside its line, before it is cut to the chart's width
TOLD_LENGTH = 40  # characters of a passage in the words for those who hear the chart
ROW_HEIGHT = 26  # pixels between two ranks


def rank_lines(
    rows: Sequence[Mapping[str, Any]],
    *,
    shown: int,
    colors: Mapping[str, str],
    tooltips: Sequence[alt.Tooltip],
    hollow: str = "",
    told: str,
) -> alt.LayerChart:
    """A chart of lines between two columns of ranks.

    Args:
        rows: one end of a line each: `id`, `text`, `label`, `end` (0 left, 1 right), `place`, `direction`, and the
            fields of the `tooltips`.
        shown: ranks that have a row of their own; all lower ones share one.
        colors: the color of each `direction`.
        tooltips: shown beside the passage while the pointer rests on a line.
        hollow: the direction whose points are not filled.
        told: what the chart shows, in words, for those who hear it.
    """
    last = max((row["place"] for row in rows), default=1)
    base = alt.Chart(alt.InlineData(values=[dict(row) for row in rows])).encode(
        x=alt.X("end:Q", scale=alt.Scale(domain=[-0.04, 2.3]), axis=None),
        y=_ranks(last, shown),
        detail="id:N",
        color=alt.Color("direction:N", scale=alt.Scale(domain=list(colors), range=list(colors.values())), legend=None),
        tooltip=[alt.Tooltip("text:N", title="passage"), *tooltips],
    )
    lines = base.mark_line(strokeWidth=2.2, opacity=0.85, interpolate="monotone")
    view = alt.Config(view=alt.ViewConfig(stroke=None))
    layers = [lines, *_points(base, hollow), _labels(base, shown)]
    return alt.LayerChart(layer=layers, height=ROW_HEIGHT * last + 8, config=view, description=told)


def _ranks(last: int, shown: int) -> alt.Y:
    """The axis of ranks from 1 at the top; the row beyond `shown` is labeled `below`."""
    axis = alt.Axis(
        values=list(range(1, last + 1)),
        labelExpr=f"datum.value > {shown} ? 'below' : datum.value",
        title=None,
        grid=False,
        domain=False,
        ticks=False,
    )
    return alt.Y("place:Q", scale=alt.Scale(domain=[last + 0.5, 0.5], nice=False, zero=False), axis=axis)


def _points(base: alt.Chart, hollow: str) -> list[alt.Chart]:
    """The ends of the lines; those of the direction `hollow` aren't filled."""
    filled = base.transform_filter(f"datum.direction != '{hollow}'") if hollow else base
    points = [filled.mark_point(size=46, filled=True, opacity=1)]
    if hollow:
        ends = base.transform_filter(f"datum.direction == '{hollow}'")
        points.append(ends.mark_point(size=46, filled=False, opacity=1))
    return points


def _labels(base: alt.Chart, shown: int) -> alt.Chart:
    """The beginning of each passage, to the right of its line."""
    ends = base.transform_filter(f"datum.end == 1 && datum.place <= {shown}")
    labels = ends.mark_text(align="left", dx=10, limit=alt.ExprRef("width * 0.53"), fontSize=12)
    encoded: alt.Chart = labels.encode(text="label:N", color=alt.value(WORDS))
    return encoded
