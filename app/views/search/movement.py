"""A bump chart: each passage's rank before and after re-ranking, joined by a line."""

from typing import Any

import altair as alt
import streamlit as st

from app.views.widgets.palette import DOWN, SAME, UP
from app.views.widgets.passage.rank_lines import LABEL_LENGTH, TOLD_LENGTH, rank_lines
from indexing.records import PassageId
from search.trace import SearchTrace


def movement_chart(trace: SearchTrace, *, shown: int) -> alt.LayerChart:
    """Passages among the first `shown` before or after re-ranking; all lower ranks share one row."""
    tooltips = [alt.Tooltip("before:Q", title="first stage"), alt.Tooltip("after:Q", title="re-ranked")]
    colors = {"up": UP, "down": DOWN, "same": SAME}
    rows = _rows(trace, shown)
    moves = "; ".join(f"{row['before']} to {row['after']}: {row['text'][:TOLD_LENGTH]}" for row in rows[::2])
    told = f"Ranks before and after re-ranking. {moves}."
    return rank_lines(rows, shown=shown, colors=colors, tooltips=tooltips, told=told)


def show_movement(trace: SearchTrace, *, shown: int) -> None:
    """The chart with its heading."""
    st.html(
        '<h2 class="sl-heading">What moved <small>first stage → re-ranked &ensp;'
        '<span class="sl-move sl-up">▲ up</span> <span class="sl-move sl-down">▼ down</span> '
        '<span class="sl-move sl-same">· same</span></small></h2>'
    )
    st.altair_chart(movement_chart(trace, shown=shown), key="search_movement")


def _rows(trace: SearchTrace, shown: int) -> list[dict[str, Any]]:
    """Two rows for each passage: the left and the right end of its line."""
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
    direction = "up" if before > after else "down" if before < after else "same"
    mark = {"up": f"▲{before - after}", "down": f"▼{after - before}", "same": "·"}[direction]
    label = f"{mark}  {text[:LABEL_LENGTH]}"
    values = {"before": before, "after": after, "direction": direction}
    return {"id": passage_id, "text": text[:160], "label": label, **values}
