"""The Teach page: people grade passages, the re-ranker learns from it, and a protected share measures it."""

from dataclasses import dataclass

import streamlit as st

from app import resources
from app.resources import Opened, feedback_path
from app.views.teach import choice as chosen
from app.views.teach.choice import TeachChoice
from app.views.teach.grading import FAULT, TOLD, show_meanings, show_sheet
from app.views.teach.queries import known_query, pick, query_box, rater_box, sidebar
from app.views.teach.results import show_agreement, show_exports, show_pinning
from app.views.teach.sheet import Sheet, grades_of, places, shown_order
from app.views.widgets.fields import about
from app.views.widgets.notices import hint, note, problem
from app.views.widgets.passage.judgment import load_judgments
from app.views.widgets.style import apply_style
from indexing.catalogue import index_names
from indexing.corpus.judged import JudgedSet
from indexing.errors import SecondLookError
from indexing.records import QueryId
from search.settings import PipelineSettings
from search.trace import SearchTrace
from training.judgments.feedback import FeedbackStore, Grade, check_rater

STYLE = """
<style>
.sl-quiet { color: var(--sl-quiet); font-size: .82rem; }
.st-key-teach_sheet .sl-card { font-size: 1rem; }
.st-key-teach_sheet .sl-grade-3, .st-key-teach_sheet .sl-badge { margin-left: .4rem; }
</style>
"""
TITLE = '<header class="sl-top"><h1>Teach</h1><p>Grade passages; the re-ranker learns from what you say.</p></header>'
READ_ONLY = "This page is for reading only here, so no grades are taken. Start the app yourself to teach it."
WIDTH = 736  # pixels of a text that is read with ease


@dataclass(frozen=True)
class Found:
    """What is known of the query in the box."""

    trace: SearchTrace
    query_id: QueryId | None
    held_out: bool


def render(*, read_only: bool = False) -> None:
    """Draw the page as the link and the widgets say; `read_only` takes no grades."""
    apply_style()
    st.html(STYLE)
    st.html(TITLE)
    if read_only:
        hint(READ_ONLY)
        return
    indexes = index_names(resources.index_root())
    notes = chosen.restore(sorted({*indexes, resources.default_index()}))
    with st.container(width=WIDTH):
        rater_box()
        query_box()
    sidebar(indexes)
    choice = chosen.current()
    chosen.remember(choice)
    if notes:
        note(*notes)
    try:
        opened = resources.open_pipeline(choice.index, resources.default_reranker())
        store = FeedbackStore.open(feedback_path())
        grades = store.grades(choice.index)
    except SecondLookError as error:
        problem(error)
        return
    about(opened.pipeline.index)
    with st.container(width=WIDTH):
        _teach(opened, store, choice, grades)


def _teach(opened: Opened, store: FeedbackStore, choice: TeachChoice, grades: list[Grade]) -> None:
    rater = _rater(choice.rater)
    judged = load_judgments(opened)
    pick(judged, grades, rater=rater, query=choice.query)
    _last_click()
    sheet = _sheet(opened, choice, grades, rater=rater, judged=judged)
    st.html(_figures(store, sheet, grades, rater=rater))
    if sheet is not None:
        if sheet.held_out or store.protects(sheet.query):
            hint("This query is protected: what you grade here is used to measure, never to train.")
        with st.container(key="teach_sheet"):
            show_sheet(store, sheet, one_by_one=choice.view == "one")
        with st.expander("What the grades mean", key="teach_meanings"):
            show_meanings()
        with st.expander("Pin an expectation", key="teach_pinning"):
            show_pinning(sheet)
    with st.expander("Agreement between raters", key="teach_agreements"):
        show_agreement(grades)
    with st.expander("Take the grades away", key="teach_exports"):
        show_exports(store, opened, choice.index, grades)


def _rater(typed: str) -> str:
    """The rater's name as it is kept; empty, with a sentence on the page, where there is none yet."""
    if not typed.strip():
        hint("Type your name above; then pick or type a query, and its passages appear here to be graded.")
        return ""
    try:
        return check_rater(typed)
    except SecondLookError as error:
        problem(error)
        return ""


def _last_click() -> None:
    """What the last click has to say, once."""
    fault, told = st.session_state.pop(FAULT, ""), st.session_state.pop(TOLD, "")
    if fault:
        problem(fault)
    if told:
        note(told)


def _sheet(
    opened: Opened, choice: TeachChoice, grades: list[Grade], *, rater: str, judged: dict[str, JudgedSet]
) -> Sheet | None:
    """What there is to grade; None, with a sentence, without a rater, a query or a passage."""
    if not rater:
        return None
    if not choice.query.strip():
        hint("Type a query above, or pick one.")
        return None
    try:
        with st.spinner("Searching …"):
            found = _found(opened, choice.query, judged)
    except SecondLookError as error:
        problem(error)
        return None
    if opened.problem:
        note(f"The passages are the first stage's, not re-ranked: {opened.problem}")
    trace = found.trace
    if not len(trace.final):
        hint(f"Nothing was found for “{trace.query}”. Try other words.")
        return None
    ids = shown_order(trace, shown=choice.shown, blind=choice.blind, rater=rater)
    return Sheet(
        rater=rater,
        query=trace.query,
        query_id=found.query_id,
        held_out=found.held_out,
        index=choice.index,
        build=opened.pipeline.index.manifest.build,
        passages=tuple(trace.passages[passage_id] for passage_id in ids),
        places={} if choice.blind else places(trace),
        grades=grades_of(grades, rater=rater, query=trace.query),
    )


def _found(opened: Opened, query: str, judged: dict[str, JudgedSet]) -> Found:
    """Search, unless only a grade was given since."""
    asked = (opened.fingerprint, query)
    kept: tuple[object, Found] | None = st.session_state.get("teach_found")
    if kept is not None and kept[0] == asked:
        return kept[1]
    trace = opened.search(query, PipelineSettings())
    found = Found(trace, *known_query(judged, trace.query))
    st.session_state["teach_found"] = (asked, found)
    return found


def _figures(store: FeedbackStore, sheet: Sheet | None, grades: list[Grade], *, rater: str) -> str:
    """How far the rater is with this query and in all, and how much everyone has graded."""
    own = [grade for grade in grades if grade.rater == rater]
    counts = store.counts()
    parts = {}
    if sheet is not None:
        parts["This query"] = f"{sheet.graded} of {len(sheet.passages)}"
    if rater:
        parts["Your grades"] = f"{len(own):,} in {_queries(len({grade.normalised for grade in own}))}"
    parts["All grades"] = f"{counts.grades:,} in {_queries(counts.queries)}"
    parts["Protected"] = _queries(counts.protected)
    parts["Raters"] = f"{len(counts.by_rater):,}"
    cells = "".join(
        f'<span class="sl-figure"><small>{name}</small><b>{value}</b></span>' for name, value in parts.items()
    )
    return f'<div class="sl-figures">{cells}</div>'


def _queries(count: int) -> str:
    return f"{count:,} quer{'y' if count == 1 else 'ies'}"
