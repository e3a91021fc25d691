"""The answer to one query: a line of figures, and the two rankings side by side."""

from html import escape

import streamlit as st

from app.views.widgets.fields import FUSION_NAMES, MIX_NAMES
from app.views.widgets.figures import change_html, figure
from app.views.widgets.passage.cards import first_stage_cards, list_html, reranked_cards, tabs_html
from app.views.widgets.passage.judgment import Judgment
from app.views.widgets.pipeline_choice import Choice
from search.trace import SearchTrace


def figures_html(trace: SearchTrace, judgment: Judgment | None, *, reranker: str | None) -> str:
    """Time, movement and, for a judged query, nDCG@10 before and after."""
    found = len(trace.fused)
    parts = [
        figure("Time", f"{sum(trace.seconds.values()) * 1000:,.0f} ms"),
        figure("Found", f"{found:,} passage{'' if found == 1 else 's'}"),
    ]
    if trace.reranked is not None:
        moved = sum(1 for places in trace.moves().values() if places)
        parts.append(figure("Moved", f"{moved:,} of {len(trace.reranked):,} re-ranked"))
    if judgment is not None:
        parts.append(figure("nDCG@10", _ndcg(trace, judgment), told=f"a judged query of the {judgment.split} split"))
    if reranker is not None and trace.reranked is not None:
        parts.append(figure("Re-ranker", escape(reranker), wide=True))
    return f'<div class="sl-figures">{"".join(parts)}</div>'


def show_lists(trace: SearchTrace, judgment: Judgment | None, choice: Choice) -> None:
    """The first stage, and the re-ranked list beside it where there is one; row by row on one height."""
    first = first_stage_cards(trace, judgment, shown=choice.shown, fusion=choice.fusion)
    sources = "BM25 + dense, " if choice.fusion in ("rrf", "weighted") else ""
    about = f"{sources}{FUSION_NAMES[choice.fusion].lower().replace('bm25', 'BM25')}"
    columns = list_html("first", "First stage", about, first, trace)
    tabs = ""
    if trace.reranked is not None:
        blended = choice.rerank_weight < 1
        second = reranked_cards(trace, judgment, shown=choice.shown, blended=blended)
        other = MIX_NAMES[choice.rerank_mix].lower()
        share = f"{choice.rerank_weight:.0%} re-ranker, {1 - choice.rerank_weight:.0%} {other}"
        about = share if blended else "each passage read together with the query"
        columns += list_html("second", "Re-ranked", about, second, trace)
        tabs = tabs_html({"second": "Re-ranked", "first": "First stage"})
    kind = "sl-two" if tabs else "sl-one"
    st.html(f'<div class="sl-results {kind}">{tabs}{columns}</div>')


def _ndcg(trace: SearchTrace, judgment: Judgment) -> str:
    before, after = judgment.before_and_after(trace)
    if trace.reranked is None:
        return f"{before:.3f}"
    return change_html(before, after)
