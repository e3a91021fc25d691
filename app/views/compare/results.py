"""Two answers to one query: figures on how similar they are, and both lists side by side."""

from dataclasses import replace
from pathlib import Path

import streamlit as st

from app.views.compare.choice import SIDES, PipelinePair
from app.views.widgets.figures import Figure, change_html
from app.views.widgets.passage.cards import (
    PassageCard,
    chip,
    first_stage_cards,
    list_html,
    moved,
    reranked_cards,
    tabs_html,
)
from app.views.widgets.passage.judgment import Judgment
from app.views.widgets.pipeline_fields import MIX_NAMES, SHORT_FUSION_NAMES
from app.views.widgets.search_choice import SearchChoice
from app.views.widgets.terms import meaning
from indexing.records import Ranking
from search.overlap import kendall_tau, overlap, rank_biased_overlap
from search.served import NO_RERANKER
from search.settings import PipelineSettings
from search.trace import SearchTrace

CUTOFF = 10
COLUMNS = dict(zip(SIDES, ("first", "second"), strict=True))


def compare_figures(a: SearchTrace, b: SearchTrace, judgment: Judgment | None) -> list[Figure]:
    """How similar both lists are, how long each took and, for a judged query, nDCG@10 of each."""
    common = overlap(a.final, b.final, cutoff=CUTOFF)
    tau = kendall_tau(a.final, b.final)
    times = " · ".join(f"{sum(trace.seconds.values()) * 1000:,.0f} ms" for trace in (a, b))
    figures = [
        Figure(f"Overlap@{CUTOFF}", f"{common.shared} of {common.of}", meaning("Overlap@10")),
        Figure("RBO", f"{rank_biased_overlap(a.final, b.final):.3f}", meaning("RBO")),
        Figure("Kendall’s tau", "–" if tau is None else f"{tau:.3f}", meaning("Kendall's tau")),
        Figure("Time A · B", times, "of all stages"),
    ]
    if judgment is not None:
        change = change_html(judgment.ndcg(a.final), judgment.ndcg(b.final))
        hint = f"{meaning('nDCG@10')} This query is judged in the {judgment.split} split."
        figures.append(Figure("nDCG@10 A → B", change, hint, is_html=True))
    return figures


def show_lists(traces: tuple[SearchTrace, SearchTrace], pair: PipelinePair, judgment: Judgment | None) -> None:
    """A and B with the differences of their ranks; cards of the same rank align."""
    finals = [trace.final for trace in traces]
    lists = []
    for side, trace, choice, other in zip(SIDES, traces, pair, reversed(finals), strict=True):
        cards = [replace(card, movement=_difference(card, other, to=side)) for card in _cards(trace, choice, judgment)]
        if trace.answers is False:
            cards = [replace(card, movement="") for card in cards]
        weak = "; nothing here seems to answer this" if trace.answers is False else ""
        about = pipeline_words(choice, trace) + (weak if cards else "; nothing found")
        lists.append(list_html(COLUMNS[side], side.upper(), about, cards, trace))
    tabs = tabs_html({COLUMNS[side]: side.upper() for side in SIDES}, chosen=COLUMNS[SIDES[0]])
    st.html(f'<div class="sl-results sl-two">{tabs}{"".join(lists)}</div>')


def pipeline_words(choice: SearchChoice, trace: SearchTrace) -> str:
    """A pipeline's settings in a few words."""
    settings = choice.settings
    words = f"{SHORT_FUSION_NAMES[settings.fusion]}{_bm25_words(settings)}, depth {settings.depth:,}"
    if trace.reranked is None:
        return f"{words}, no re-ranker" if choice.reranker == NO_RERANKER else f"{words}, not re-ranked"
    name = Path(choice.reranker).name if Path(choice.reranker).is_dir() else choice.reranker
    share = ""
    if settings.rerank_weight < 1:
        mix = MIX_NAMES[settings.rerank_mix].lower()
        share = f" with a share of {settings.rerank_weight:.0%}, the rest {mix}"
    return f"{words}, {len(trace.reranked):,} re-ranked by {name}{share}"


def _bm25_words(settings: PipelineSettings) -> str:
    """BM25's k1 and b where they aren't the index's own."""
    own = [f"{name} {value:g}" for name, value in (("k1", settings.k1), ("b", settings.b)) if value is not None]
    return f" ({', '.join(own)})" if own and settings.fusion != "dense" else ""


def _cards(trace: SearchTrace, choice: SearchChoice, judgment: Judgment | None) -> list[PassageCard]:
    if trace.reranked is None:
        return first_stage_cards(trace, judgment, shown=choice.shown)
    return reranked_cards(trace, judgment, shown=choice.shown)


def _difference(card: PassageCard, other: Ranking, *, to: str) -> str:
    """For a card of A the passage's rank in B; for a card of B how far the passage moved from A."""
    rank = other.ranks().get(card.passage_id)
    if rank is None:
        return chip("went", f"only in {to.upper()}", f"not in the list of {'B' if to == 'a' else 'A'}")
    return chip("went", f"→ {rank}", f"at rank {rank} in B") if to == "a" else moved(rank - card.rank)
