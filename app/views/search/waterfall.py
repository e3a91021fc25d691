"""How the time of a search was spent: a bar from start to end for each stage, and this session's percentiles."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import numpy as np
import streamlit as st

from app.views.widgets.notices import note
from app.views.widgets.palette import BAR, WORDS

STAGE_NAMES = {
    "bm25": "BM25",
    "encode": "encode query",
    "faiss": "FAISS",
    "fuse": "fuse",
    "load": "load passages",
    "tokenize": "tokenize pairs",
    "re-rank": "re-rank",
}
FEWEST_FOR_PERCENTILES = 5  # searches
ROW_HEIGHT = 30  # pixels of one stage


def waterfall_chart(seconds: Mapping[str, float]) -> alt.LayerChart:
    """Bars in milliseconds, in the order in which the stages ran."""
    rows = _rows(seconds)
    total = max(rows[-1]["end"], 1e-6)
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        y=alt.Y(
            "stage:N",
            sort=[row["stage"] for row in rows],
            axis=alt.Axis(title=None, domain=False, ticks=False, labelLimit=110),
        ),
        tooltip=[
            alt.Tooltip("stage:N", title="stage"),
            alt.Tooltip("start:Q", title="start (ms)", format=",.1f"),
            alt.Tooltip("end:Q", title="end (ms)", format=",.1f"),
            alt.Tooltip("took:Q", title="took (ms)", format=",.2f"),
        ],
    )
    scale = alt.Scale(domain=[0, total * 1.22], nice=False)
    axis = alt.Axis(title="ms", tickCount=4, domain=False, ticks=False, gridOpacity=0.35)
    bars = base.mark_bar(color=BAR, cornerRadius=2, height=12, minBandSize=2).encode(
        x=alt.X("start:Q", scale=scale, axis=axis), x2="end:Q"
    )
    words = base.mark_text(align="left", dx=6, color=WORDS, fontSize=12).encode(
        x=alt.X("end:Q", scale=scale, axis=axis), text=alt.Text("took:Q", format=",.1f")
    )
    view = alt.Config(view=alt.ViewConfig(stroke=None))
    told = "; ".join(f"{row['stage']} {row['took']:,.1f}" for row in rows)
    height = ROW_HEIGHT * len(rows) + 40
    return alt.LayerChart(
        layer=[bars, words], height=height, config=view, description=f"Milliseconds of each stage. {told}."
    )


def show_waterfall(seconds: Mapping[str, float], totals: Sequence[float]) -> None:
    """The chart with its heading; `totals` are the seconds of this session's searches."""
    words = f"{sum(seconds.values()) * 1000:,.1f} ms in total"
    st.html(f'<h2 class="sl-heading">Where the time went <small>{words}</small></h2>')
    st.altair_chart(waterfall_chart(seconds), key="search_waterfall")
    if len(totals) >= FEWEST_FOR_PERCENTILES:
        median, p95 = np.percentile(np.asarray(totals) * 1000, [50, 95])
        note(f"{len(totals):,} searches in this session: p50 {median:,.0f} ms, p95 {p95:,.0f} ms")


def _rows(seconds: Mapping[str, float]) -> list[dict[str, Any]]:
    rows = []
    start = 0.0
    for stage, elapsed in seconds.items():
        took = elapsed * 1000
        rows.append({"stage": STAGE_NAMES.get(stage, stage), "start": start, "end": start + took, "took": took})
        start += took
    return rows
