"""The search page: type a query, see both stages, what moved, and where the time went."""

from dataclasses import replace

import streamlit as st

from app import resources
from app.resources import Opened
from app.views.search.controls import sidebar
from app.views.search.movement import show_movement
from app.views.search.results import figures_html, show_lists
from app.views.search.waterfall import show_waterfall
from app.views.widgets import pipeline_choice as chosen
from app.views.widgets.fields import about
from app.views.widgets.notices import hint, note, problem
from app.views.widgets.passage.judgment import Judgment, find_judgment, load_judgments
from app.views.widgets.passage.why import asked, listen, show_why
from app.views.widgets.pipeline_choice import Choice, choose
from app.views.widgets.query_box import query_box, suggestions
from app.views.widgets.style import apply_style
from indexing.catalogue import index_names
from indexing.corpus.judged import JudgedSet
from indexing.errors import ModelError, SecondLookError
from search.load import DEFAULT_RERANKER, NO_RERANKER
from search.trace import SearchTrace

TITLE = '<header class="sl-top"><h1>Second Look</h1><p>A quick look finds, a careful second look sorts.</p></header>'
LIST_WIDTH = 736  # pixels of a list that stands alone, as in style.py
KEPT_TIMES = 1_000  # searches of a session whose times are kept


def render() -> None:
    """Draw the page as the link and the widgets say."""
    apply_style()
    indexes = index_names(resources.index_root())
    notes = chosen.restore(sorted({*indexes, resources.default_index()}))
    st.html(TITLE)
    query_box()
    sidebar(indexes, reranker=resources.default_reranker())
    choice = chosen.current()
    chosen.remember(choice)
    if notes:
        note(*notes)
    try:
        opened = resources.open_pipeline(choice.index, choice.reranker)
    except SecondLookError as error:
        problem(error)
        return
    about(opened.pipeline.index)
    judged = load_judgments(opened)
    if not choice.query.strip():
        _welcome(judged)
        return
    with st.expander("Queries to try", key="search_more"):
        suggestions(judged)
    _answer(opened, choice, judged)


def _welcome(judged: dict[str, JudgedSet]) -> None:
    st.html(
        '<div class="sl-welcome"><p>Type a query and press Enter. Two rankings appear side by side: '
        "what the <b>first stage</b> found by words and by meaning, and how the <b>re-ranker</b> sorted it after "
        "reading each passage together with your query.</p><p>"
        '<span class="sl-move sl-up">▲3</span> rose three places &ensp;'
        '<span class="sl-move sl-down">▼2</span> fell two &ensp;'
        '<span class="sl-move sl-same">·</span> stayed</p><p>Try one of these:</p></div>'
    )
    suggestions(judged)


def _answer(opened: Opened, choice: Choice, judged: dict[str, JudgedSet]) -> None:
    line = st.empty()
    try:
        with line, st.spinner("Searching …"):
            trace, fault = _search(opened, choice)
    except SecondLookError as error:
        line.empty()
        problem(error)
        return
    judgment = find_judgment(judged, trace.query)
    reranker = opened.pipeline.reranker.name if opened.pipeline.reranker else None
    line.html(figures_html(trace, judgment, reranker=reranker))
    if not len(trace.fused):
        _nothing_found(trace, choice)
        return
    if trace.reranked is None:
        _why_not_reranked(choice, fault or opened.problem)
    _show(trace, judgment, choice)
    listen(key="search_why")
    why = asked()
    if why is not None and why.passage_id in trace.passages:
        show_why(opened, trace, why.passage_id, choice.settings())


def _show(trace: SearchTrace, judgment: Judgment | None, choice: Choice) -> None:
    show_lists(trace, judgment, choice)
    totals = st.session_state.get("search_times", [])
    if trace.reranked is None:
        with st.container(width=LIST_WIDTH):
            show_waterfall(trace.seconds, totals)
        return
    left, right = st.columns(2, gap="medium")
    with left:
        show_movement(trace, shown=choice.shown)
    with right:
        show_waterfall(trace.seconds, totals)


def _search(opened: Opened, choice: Choice) -> tuple[SearchTrace, str]:
    """Search, unless only what is shown of the last search has changed; and what was wrong with the re-ranker."""
    settings = choice.settings()
    asked = (opened.fingerprint, choice.query, settings)
    kept: tuple[object, SearchTrace] | None = st.session_state.get("search_trace")
    if kept is not None and kept[0] == asked:
        return kept[1], ""
    try:
        trace = opened.search(choice.query, settings)
    except ModelError as error:  # scores that are no numbers: the first stage may still answer
        return opened.search(choice.query, replace(settings, rerank_depth=0)), str(error)
    st.session_state["search_trace"] = (asked, trace)
    times = [*st.session_state.get("search_times", []), sum(trace.seconds.values())]
    st.session_state["search_times"] = times[-KEPT_TIMES:]
    return trace, ""


def _nothing_found(trace: SearchTrace, choice: Choice) -> None:
    if choice.fusion == "bm25":
        hint(
            f"No passage shares a word with “{trace.query}”. Try other words, or search by meaning too: "
            "choose Reciprocal rank fusion in the sidebar."
        )
        st.button("Search by meaning too", key="search_by_meaning", on_click=choose, kwargs={"fusion": "rrf"})
    else:
        hint(f"Nothing was found for “{trace.query}”. Try other words.")


def _why_not_reranked(choice: Choice, fault: str) -> None:
    if fault and choice.reranker == DEFAULT_RERANKER:
        hint(f"{fault} On this page, name one under Re-ranker in the sidebar.")
    elif fault:
        problem(fault)
        st.button("Load it again", key="search_retry", on_click=resources.retry_rerankers)
    elif choice.reranker == NO_RERANKER:
        hint("This is the first stage alone. To see it re-ranked, choose a re-ranker in the sidebar, or name one.")
    else:
        hint("The re-ranking depth is 0, so this is the first stage alone. Set it above 0 in the sidebar.")
