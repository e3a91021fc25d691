"""The compare page: two pipelines answer one query, and the page shows where and how much they differ."""

from dataclasses import replace

import streamlit as st

from app import resources
from app.resources import Opened
from app.views.compare import choice as chosen
from app.views.compare.chart import show_slopes
from app.views.compare.choice import SIDES, Comparison
from app.views.compare.controls import pipelines, query_box, sidebar, suggestions
from app.views.compare.results import COLUMNS, figures_html, show_lists
from app.views.widgets.fields import about
from app.views.widgets.notices import hint, note, problem
from app.views.widgets.passage.judgment import find_judgment, load_judgments
from app.views.widgets.passage.why import asked, listen, show_why
from app.views.widgets.pipeline_choice import Choice
from app.views.widgets.style import apply_style
from indexing.catalogue import index_names
from indexing.corpus.judged import JudgedSet
from indexing.errors import ModelError, SecondLookError
from search.trace import SearchTrace

STYLE = """
<style>
.st-key-compare_examples button { font-size: .9rem; min-height: 2.1rem; padding: .2rem .8rem; border-radius: 1.1rem; }
.st-key-compare_examples button p { font-size: .9rem; }
</style>
"""
TITLE = '<header class="sl-top"><h1>Compare</h1><p>Two pipelines, one query: where do they differ?</p></header>'
CHART_WIDTH = 736  # pixels of a chart that stands alone, as a list does


def render() -> None:
    """Draw the page as the link and the widgets say."""
    apply_style()
    st.html(STYLE)
    indexes = index_names(resources.index_root())
    notes = chosen.restore(sorted({*indexes, resources.default_index()}))
    st.html(TITLE)
    query_box()
    sidebar(indexes)
    pipelines(reranker=resources.default_reranker())
    comparison = chosen.current()
    chosen.remember(comparison)
    if notes:
        note(*notes)
    try:
        opened = [resources.open_pipeline(choice.index, choice.reranker) for choice in comparison]
    except SecondLookError as error:
        problem(error)
        return
    about(opened[0].pipeline.index)
    judged = load_judgments(opened[0])
    if not comparison.a.query.strip():
        _welcome(judged)
        return
    with st.expander("Queries to try", key="compare_queries"):
        suggestions(judged)
    _answer(opened, comparison, judged)


def _welcome(judged: dict[str, JudgedSet]) -> None:
    st.html(
        '<div class="sl-welcome"><p>Set two pipelines above, <b>A</b> and <b>B</b>, type a query and press Enter. '
        "Both lists appear side by side, with how alike they are: the passages that they share, rank-biased overlap "
        "and, for a judged query, what each is worth.</p><p>Try one of these:</p></div>"
    )
    suggestions(judged)


def _answer(opened: list[Opened], comparison: Comparison, judged: dict[str, JudgedSet]) -> None:
    line = st.empty()
    try:
        with line, st.spinner("Searching twice …"):
            answers = [_search(*parts) for parts in zip(SIDES, opened, comparison, strict=True)]
    except SecondLookError as error:
        line.empty()
        problem(error)
        return
    (a, _), (b, _) = answers
    for side, (_, fault) in zip(SIDES, answers, strict=True):
        if fault:
            problem(f"{side.upper()} is not re-ranked: {fault}")
    if any(fault for _, fault in answers):
        st.button("Load it again", key="compare_retry", on_click=resources.retry_rerankers)
    if not len(a.final) and not len(b.final):
        line.empty()
        hint(f"Neither pipeline found a passage for “{a.query}”. Try other words.")
        return
    judgment = find_judgment(judged, a.query)
    line.html(figures_html(a, b, judgment))
    show_lists((a, b), comparison, judgment)
    with st.container(width=CHART_WIDTH):
        show_slopes(a, b, shown=comparison.a.shown)
    listen(key="compare_why")
    _explain(opened, comparison, (a, b))


def _search(side: str, opened: Opened, choice: Choice) -> tuple[SearchTrace, str]:
    """One pipeline's answer, unless only what is shown of it has changed; and what was wrong with its re-ranker."""
    settings = choice.settings()
    asked_for = (opened.fingerprint, choice.query, settings)
    kept: tuple[object, SearchTrace] | None = st.session_state.get(f"compare_trace_{side}")
    if kept is not None and kept[0] == asked_for:
        return kept[1], opened.problem
    try:
        trace = opened.search(choice.query, settings)
    except ModelError as error:  # scores that are no numbers: the first stage may still answer
        return opened.search(choice.query, replace(settings, rerank_depth=0)), str(error)
    st.session_state[f"compare_trace_{side}"] = (asked_for, trace)
    return trace, opened.problem


def _explain(opened: list[Opened], comparison: Comparison, traces: tuple[SearchTrace, SearchTrace]) -> None:
    """Answer the card that was asked about, by the pipeline in whose list it stands."""
    why = asked()
    if why is None:
        return
    for side, its, choice, trace in zip(SIDES, opened, comparison, traces, strict=True):
        if COLUMNS[side] == why.column and why.passage_id in trace.passages:
            show_why(its, trace, why.passage_id, choice.settings())
