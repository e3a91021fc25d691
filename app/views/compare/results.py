"""Two answers to one query: a line of figures on how alike they are, and both lists side by side."""

from dataclasses import replace
from pathlib import Path

import streamlit as st

from app.views.compare.choice import SIDES, Comparison
from app.views.widgets.fields import FUSION_WORDS, MIX_NAMES
from app.views.widgets.figures import change_html, figure
from app.views.widgets.passage.cards import Card, chip, first_stage_cards, list_html, moved, reranked_cards, tabs_html
from app.views.widgets.passage.judgment import Judgment
from app.views.widgets.pipeline_choice import Choice
from indexing.records import Ranking
from search.load import NO_RERANKER
from search.overlap import kendall_tau, overlap, rank_biased_overlap
from search.trace import SearchTrace

CUTOFF = 10
COLUMNS = dict(zip(SIDES, ("first", "second"), strict=True))


def figures_html(a: SearchTrace, b: SearchTrace, judgment: Judgment | None) -> str:
    """How alike both lists are, their times, and what each is worth where the query is judged."""
    found = overlap(a.final, b.final, cutoff=CUTOFF)
    tau = kendall_tau(a.final, b.final)
    times = " · ".join(f"{sum(trace.seconds.values()) * 1000:,.0f} ms" for trace in (a, b))
    parts = [
        figure(
            f"Overlap@{CUTOFF}", f"{found.shared} of {found.of}", told=f"passages that both have in the first {CUTOFF}"
        ),
        figure(
            "RBO",
            f"{rank_biased_overlap(a.final, b.final):.3f}",
            told="rank-biased overlap, p = 0.9: 1 where both lists are the same, the first places count most",
        ),
        figure(
            "Kendall’s tau",
            "–" if tau is None else f"{tau:.3f}",
            told="order of the passages that both lists hold: 1 the same, -1 reversed",
        ),
        figure("Time A · B", times, told="of all stages"),
    ]
    if judgment is not None:
        told = f"a judged query of the {judgment.split} split"
        parts.append(figure("nDCG@10 A → B", change_html(judgment.ndcg(a.final), judgment.ndcg(b.final)), told=told))
    return f'<div class="sl-figures">{"".join(parts)}</div>'


def show_lists(traces: tuple[SearchTrace, SearchTrace], comparison: Comparison, judgment: Judgment | None) -> None:
    """A and B with the differences of their ranks; row by row on one height."""
    finals = [trace.final for trace in traces]
    lists = []
    for side, trace, choice, other in zip(SIDES, traces, comparison, reversed(finals), strict=True):
        cards = [replace(card, movement=_difference(card, other, to=side)) for card in _cards(trace, choice, judgment)]
        about = pipeline_words(choice, trace) + ("" if cards else "; it found nothing")
        lists.append(list_html(COLUMNS[side], side.upper(), about, cards, trace))
    tabs = tabs_html({COLUMNS[side]: side.upper() for side in SIDES})
    st.html(f'<div class="sl-results sl-two">{tabs}{"".join(lists)}</div>')


def pipeline_words(choice: Choice, trace: SearchTrace) -> str:
    """What a pipeline is, in a few words."""
    words = f"{FUSION_WORDS[choice.fusion]}{_bm25_words(choice)}, depth {choice.depth:,}"
    if trace.reranked is None:
        return f"{words}, no re-ranker" if choice.reranker == NO_RERANKER else f"{words}, not re-ranked"
    name = Path(choice.reranker).name if Path(choice.reranker).is_dir() else choice.reranker
    share = ""
    if choice.rerank_weight < 1:
        share = f" with a share of {choice.rerank_weight:.0%} against {MIX_NAMES[choice.rerank_mix].lower()}"
    return f"{words}, {len(trace.reranked):,} re-ranked by {name}{share}"


def _bm25_words(choice: Choice) -> str:
    """BM25's k1 and b where they aren't the index's own."""
    given = [f"{name} {value:g}" for name, value in (("k1", choice.k1), ("b", choice.b)) if value is not None]
    return f" ({', '.join(given)})" if given and choice.fusion != "dense" else ""


def _cards(trace: SearchTrace, choice: Choice, judgment: Judgment | None) -> list[Card]:
    if trace.reranked is None:
        return first_stage_cards(trace, judgment, shown=choice.shown, fusion=choice.fusion)
    return reranked_cards(trace, judgment, shown=choice.shown, blended=choice.rerank_weight < 1)


def _difference(card: Card, other: Ranking, *, to: str) -> str:
    """In A where a passage is in B; in B how far it is from where it is in A."""
    rank = other.ranks().get(card.passage_id)
    if rank is None:
        return chip("went", f"only in {to.upper()}", f"is not in the list of {'B' if to == 'a' else 'A'}")
    return chip("went", f"→ {rank}", f"is at rank {rank} in B") if to == "a" else moved(rank - card.rank)
