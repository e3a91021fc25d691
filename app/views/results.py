"""The answer to one query: a line of figures, and the two rankings side by side."""

from html import escape

import streamlit as st

from app.views.choice import Choice
from app.views.controls import FUSION_NAMES
from app.views.judged import Judgment
from app.views.passage_cards import Card, card_html, first_stage_cards, reranked_cards
from search.pipeline import SearchTrace


def figures_html(trace: SearchTrace, judgment: Judgment | None, *, reranker: str | None) -> str:
    """Time, movement and, for a judged query, nDCG@10 before and after."""
    found = len(trace.fused)
    parts = [
        _figure("Time", f"{sum(trace.seconds.values()) * 1000:,.0f} ms"),
        _figure("Found", f"{found:,} passage{'' if found == 1 else 's'}"),
    ]
    if trace.reranked is not None:
        moved = sum(1 for places in trace.moves().values() if places)
        parts.append(_figure("Moved", f"{moved:,} of {len(trace.reranked):,} re-ranked"))
    if judgment is not None:
        parts.append(_figure("nDCG@10", _ndcg(trace, judgment), told=f"a judged query of the {judgment.split} split"))
    if reranker is not None and trace.reranked is not None:
        parts.append(_figure("Re-ranker", escape(reranker), wide=True))
    return f'<div class="sl-figures">{"".join(parts)}</div>'


def show_lists(trace: SearchTrace, judgment: Judgment | None, choice: Choice) -> None:
    """The first stage, and the re-ranked list beside it where there is one; row by row on one height."""
    first = first_stage_cards(trace, judgment, shown=choice.shown, fusion=choice.fusion)
    sources = "BM25 + dense, " if choice.fusion in ("rrf", "weighted") else ""
    about = f"{sources}{FUSION_NAMES[choice.fusion].lower().replace('bm25', 'BM25')}"
    columns = _column("first", "First stage", about, first, trace)
    tabs = ""
    if trace.reranked is not None:
        blended = choice.rerank_weight < 1
        second = reranked_cards(trace, judgment, shown=choice.shown, blended=blended)
        share = f"{choice.rerank_weight:.0%} re-ranker, {1 - choice.rerank_weight:.0%} first stage"
        about = share if blended else "each passage read together with the query"
        columns += _column("second", "Re-ranked", about, second, trace)
        tabs = _tab("second", "Re-ranked", checked=True) + _tab("first", "First stage", checked=False)
    kind = "sl-two" if tabs else "sl-one"
    st.html(f'<div class="sl-results {kind}">{tabs}{columns}</div>')


def _column(name: str, title: str, about: str, cards: list[Card], trace: SearchTrace) -> str:
    items = "".join(card_html(card, trace) for card in cards)
    return (
        f'<section class="sl-column sl-column-{name}" aria-label="{title}">'
        f'<h3 class="sl-heading"><span>{title}</span> <small>{escape(about)}</small></h3>'
        f'<ol class="sl-list" role="list">{items}</ol></section>'
    )


def _tab(name: str, title: str, *, checked: bool) -> str:
    """A switch between the two lists, seen on narrow screens only."""
    return (
        f'<input type="radio" name="sl-tab" class="sl-tab" id="sl-tab-{name}"{" checked" if checked else ""}>'
        f'<label class="sl-tab-label" for="sl-tab-{name}">{title}</label>'
    )


def _figure(name: str, value: str, *, told: str = "", wide: bool = False) -> str:
    title = f' title="{escape(told)}"' if told else ""
    return f'<span class="sl-figure{" sl-wide" if wide else ""}"{title}><small>{name}</small><b>{value}</b></span>'


def _ndcg(trace: SearchTrace, judgment: Judgment) -> str:
    before, after = judgment.before_and_after(trace)
    if trace.reranked is None:
        return f"{before:.3f}"
    gain = after - before
    sign, style = ("▲", "up") if gain > 0.0005 else ("▼", "down") if gain < -0.0005 else ("·", "same")
    change = f"{sign}{abs(gain):.3f}" if sign != "·" else sign
    return f'{before:.3f} → {after:.3f} <span class="sl-move sl-{style}">{change}</span>'
