"""A slope chart: each passage's rank in A and in B, joined by a line; hollow points are in one list only."""

from typing import Any

import altair as alt
import streamlit as st

from app.views.widgets.palette import DOWN, SAME, UP
from app.views.widgets.passage.rank_lines import LABEL_LENGTH, TOLD_LENGTH, rank_lines
from indexing.records import PassageId
from search.trace import SearchTrace


def slope_chart(a: SearchTrace, b: SearchTrace, *, shown: int) -> alt.LayerChart:
    """Passages among the first `shown` of A or B; all lower ranks share one row."""
    colors = {"up": UP, "down": DOWN, "same": SAME, "alone": SAME}
    tooltips = [alt.Tooltip("a:N", title="rank in A"), alt.Tooltip("b:N", title="rank in B")]
    rows = _rows(a, b, shown)
    ranks = {row["id"]: f"{row['a']} and {row['b']}: {row['text'][:TOLD_LENGTH]}" for row in rows}
    told = f"Ranks in A and in B. {'; '.join(ranks.values())}."
    return rank_lines(rows, shown=shown, colors=colors, tooltips=tooltips, hollow="alone", told=told)


def show_slopes(a: SearchTrace, b: SearchTrace, *, shown: int) -> None:
    """The chart with its heading."""
    st.html(
        '<h2 class="sl-heading">What differs <small>A → B &ensp;'
        '<span class="sl-move sl-up">▲ higher in B</span> <span class="sl-move sl-down">▼ lower</span> '
        '<span class="sl-move sl-same">· same</span> <span class="sl-move sl-same">○ in one only</span></small></h2>'
    )
    st.altair_chart(slope_chart(a, b, shown=shown), key="compare_slopes")


def _rows(a: SearchTrace, b: SearchTrace, shown: int) -> list[dict[str, Any]]:
    """A row for each end of a passage's line: one in A and one in B, or only one where a list lacks it."""
    ranks = a.final.ranks(), b.final.ranks()
    texts = {**a.passages, **b.passages}
    ids = dict.fromkeys([*a.final.top(shown).passage_ids, *b.final.top(shown).passage_ids])
    rows = []
    for passage_id in ids:
        ends = [by_id.get(passage_id) for by_id in ranks]
        common = _common(passage_id, texts[passage_id].content, ends)
        rows += [
            {**common, "end": end, "place": min(rank, shown + 1)} for end, rank in enumerate(ends) if rank is not None
        ]
    return rows


def _common(passage_id: PassageId, text: str, ranks: list[int | None]) -> dict[str, Any]:
    a, b = ranks
    moved = 0 if a is None or b is None else a - b
    direction = "alone" if a is None or b is None else "up" if moved > 0 else "down" if moved < 0 else "same"
    mark = {"up": f"▲{moved}", "down": f"▼{-moved}", "same": "·", "alone": "○"}[direction]
    shown_ranks = {"a": str(a or "not in this list"), "b": str(b or "not in this list")}
    return {
        "id": passage_id,
        "text": text[:160],
        "label": f"{mark}  {text[:LABEL_LENGTH]}",
        "direction": direction,
        **shown_ranks,
    }
