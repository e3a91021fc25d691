"""The answer to one query: a row of figures, and the two rankings side by side."""

from app.views.widgets.figures import Figure, change_html
from app.views.widgets.passage.cards import first_stage_cards, list_html, reranked_cards, tabs_html, waiting_html
from app.views.widgets.passage.judgment import Judgment
from app.views.widgets.pipeline_fields import FUSION_NAMES, MIX_NAMES
from app.views.widgets.search_choice import SearchChoice
from app.views.widgets.terms import meaning, term_html
from search.trace import SearchTrace
from training.evaluation.settings import MAIN_MEASURE

TABS = {"second": "Re-ranked", "first": "First stage"}
SEARCHING = Figure("Now", "searching …")
RERANKING = Figure("Now", "re-ranking …")


def search_figures(trace: SearchTrace, judgment: Judgment | None, *, reranker: str | None) -> list[Figure]:
    """Time, movement and, for a judged query, nDCG@10 before and after re-ranking."""
    count = len(trace.fused)
    figures = [
        Figure("Time", f"{sum(trace.seconds.values()) * 1000:,.0f} ms"),
        Figure("Found", f"{count:,} passage{'' if count == 1 else 's'}"),
    ]
    if trace.best is not None and count:
        judged = f", fitted on {trace.calibration.queries:,} judged queries" if trace.calibration else ""
        figures.append(
            Figure(
                "Best", f"{trace.best:.0%} relevant", f"{meaning('Score')} This is the best of the first ten{judged}."
            )
        )
    if trace.reranked is not None and trace.answers is not False:
        moved = sum(1 for places in trace.moves().values() if places)
        figures.append(Figure("Moved", f"{moved:,} of {len(trace.reranked):,} re-ranked"))
    if judgment is not None:
        before, after = judgment.before_and_after(trace)
        value = f"{before:.3f}" if trace.reranked is None else change_html(before, after)
        figures.append(
            Figure(
                MAIN_MEASURE,
                value,
                f"{meaning(MAIN_MEASURE)} This is a judged query of the {judgment.split} split.",
                is_html=True,
            )
        )
    if reranker is not None and trace.reranked is not None:
        figures.append(Figure("Re-ranker", reranker, meaning("Re-ranker"), wide=True))
    return figures


def lists_html(trace: SearchTrace, judgment: Judgment | None, choice: SearchChoice, *, waiting: bool = False) -> str:
    """The first stage and, beside it, the re-ranked list where there is one; cards of the same rank align.

    While the list is `waiting` to be re-ranked, empty cards hold its room.
    """
    settings = choice.settings
    first = first_stage_cards(trace, judgment, shown=choice.shown)
    retrievers = "BM25 + dense, " if settings.fusion in ("rrf", "weighted") else ""
    about = f"{retrievers}{FUSION_NAMES[settings.fusion].lower().replace('bm25', 'BM25')}"
    columns = list_html("first", "First stage", about, first, trace, explained=term_html("First stage"))
    tabs = ""
    if waiting:
        columns += waiting_html("second", "Re-ranked", "each passage is being read …", cards=len(first))
        tabs = tabs_html(TABS, chosen="first")  # what there is to read
    elif trace.reranked is not None:
        second = reranked_cards(trace, judgment, shown=choice.shown)
        mix = MIX_NAMES[settings.rerank_mix].lower()
        share = f"{settings.rerank_weight:.0%} re-ranker, {1 - settings.rerank_weight:.0%} {mix}"
        about = share if settings.rerank_weight < 1 else "each passage read together with the query"
        columns += list_html("second", "Re-ranked", about, second, trace, explained=term_html("Re-ranked"))
        tabs = tabs_html(TABS, chosen="second")
    layout = "sl-two" if tabs else "sl-one"
    return f'<div class="sl-results {layout}">{tabs}{columns}</div>'
