"""The Teach page: people grade passages; most grades train the re-ranker, a protected share measures it."""

from dataclasses import dataclass

import streamlit as st

from app import environment, resources
from app.resources import SharedPipeline
from app.views.teach import choice as teach_page
from app.views.teach.by_model.view import show_model
from app.views.teach.choice import TeachChoice
from app.views.teach.clicks.view import show_clicks
from app.views.teach.exchange.view import show_exchange
from app.views.teach.grading import NOTE_KEY, PROBLEM_KEY, show_meanings, show_sheet
from app.views.teach.progress import show_progress
from app.views.teach.queries import grading_query_box, held_out_texts, known_query, pick_query, rater_box, teach_sidebar
from app.views.teach.results import show_agreement, show_exports, show_pinning
from app.views.teach.sheet import GradingSheet, grades_of, shown_order
from app.views.widgets.fields import index_caption
from app.views.widgets.figures import Figure, figures_html
from app.views.widgets.notices import hint, note, problem
from app.views.widgets.passage.cards import reranked_cards
from app.views.widgets.passage.judgment import load_judgments
from app.views.widgets.passage.why import answer_card, listen, take_question
from app.views.widgets.search_choice import default_choice
from app.views.widgets.terms import meaning
from indexing import places
from indexing.catalogue import index_names
from indexing.errors import SecondLookError
from indexing.judged.sets import JudgedSet
from indexing.records import QueryId
from search.trace import SearchTrace
from training.judgments.feedback import FeedbackStore, Grade, check_rater

STYLE = """
<style>
.sl-quiet { color: var(--sl-quiet); font-size: .82rem; }
.st-key-teach_sheet .sl-card { font-size: 1rem; }
.st-key-teach_sheet .sl-head .sl-badge { margin-left: .4rem; }
</style>
"""
TITLE = (
    '<header class="sl-top"><h1>Teach</h1><p>Grade passages, and the re-ranker learns from your grades.</p></header>'
)
READ_ONLY = "This app is read-only and takes no grades. Start your own copy to teach the re-ranker."
FOUND_KEY = "teach_found"  # session: the last query searched
WIDTH = 736  # pixels; wider text is hard to read


@dataclass(frozen=True)
class SearchedQuery:
    """The query in the box, searched and looked up among the judged ones."""

    trace: SearchTrace
    query_id: QueryId | None
    held_out: bool


def render(*, read_only: bool = False) -> None:
    """Draw the page from the link and the widgets; `read_only` takes no grades."""
    st.html(STYLE)
    st.html(TITLE)
    if read_only:
        hint(READ_ONLY)
        return
    indexes = index_names(places.indexes())
    notes = teach_page.restore(sorted({*indexes, environment.default_index()}))
    with st.container(width=WIDTH):
        rater_box()
        grading_query_box()
    teach_sidebar(indexes)
    choice = teach_page.current()
    teach_page.remember(choice)
    if notes:
        note(*notes)
    try:
        shared = resources.open_pipeline(choice.index, default_choice(choice.index).reranker)
        store = FeedbackStore.open(places.feedback())
        grades = store.grades(choice.index)
    except SecondLookError as error:
        problem(error)
        return
    index_caption(shared.pipeline.index)
    with st.container(width=WIDTH):
        _teach(shared, store, choice, grades)


def _teach(shared: SharedPipeline, store: FeedbackStore, choice: TeachChoice, grades: list[Grade]) -> None:
    rater = _rater(choice.rater)
    judged = load_judgments(shared)
    pick_query(judged, grades, rater=rater, query=choice.query, protected_share=store.protected_share)
    if misread := dict.fromkeys(sentence for known in judged.values() for sentence in known.notes):
        note(*misread)
    _last_click()
    sheet = _sheet(shared, choice, grades, rater=rater, judged=judged)
    st.html(figures_html(_figures(store, sheet, grades, rater=rater)))
    show_progress(store.grades())
    if sheet is not None:
        if sheet.held_out or store.protects(sheet.query):
            hint("This query is protected: its grades are used to measure, never to train.")
        with st.container(key="teach_sheet"):
            show_sheet(store, sheet, one_by_one=choice.view == "one")
        with st.expander("What the grades mean", key="teach_meanings"):
            show_meanings()
        with st.expander("Pin an expectation", key="teach_pinning"):
            show_pinning(sheet)
    with st.expander("Judgments from clicks", key="teach_clicks"):
        show_clicks(shared.pipeline.index, store)
    with st.expander("Judgments from Quepid and OpenSearch", key="teach_exchange"):
        show_exchange(shared.pipeline.index, store, lambda: held_out_texts(judged))
    with st.expander("Grades by a model", key="teach_judge"):
        show_model(shared, store, grades, rater=rater, judged=judged)
    with st.expander("Agreement between raters", key="teach_agreements"):
        show_agreement(grades)
    with st.expander("Downloads", key="teach_exports"):
        show_exports(store, shared, choice.index, grades)
    if sheet is not None and not choice.blind:
        _answer_card(shared, choice.index)


def _answer_card(shared: SharedPipeline, index: str) -> None:
    """Open the dialog behind a card's *why?*, which tells the raw scores; a blind rater's cards have no such button."""
    listen(key="teach_why")
    question, searched = take_question(), st.session_state[FOUND_KEY][1]
    if question is not None and question.passage_id in searched.trace.passages:
        answer_card(question, shared, searched.trace, default_choice(index).settings)


def _rater(typed: str) -> str:
    """The rater's name as stored; empty, with a message on the page, where it is missing or invalid."""
    if not typed.strip():
        hint("Type your name above, then type or pick a query; its passages appear here for you to grade.")
        return ""
    try:
        return check_rater(typed)
    except SecondLookError as error:
        problem(error)
        return ""


def _last_click() -> None:
    """Show once what the last click did."""
    fault, done = st.session_state.pop(PROBLEM_KEY, ""), st.session_state.pop(NOTE_KEY, "")
    if fault:
        problem(fault)
    if done:
        note(done)


def _sheet(
    shared: SharedPipeline, choice: TeachChoice, grades: list[Grade], *, rater: str, judged: dict[str, JudgedSet]
) -> GradingSheet | None:
    """The passages to grade; None, with a message on the page, without a rater, a query or a passage."""
    if not rater:
        return None
    if not choice.query.strip():
        listed = "train" in judged and judged["train"].queries
        hint("Press N for the first query that trains, or type one above." if listed else "Type a query above.")
        return None
    try:
        with st.spinner("Searching …"):
            searched = _search(shared, choice.query, judged)
    except SecondLookError as error:
        problem(error)
        return None
    if shared.problem:
        note(f"These passages are in first-stage order, not re-ranked: {shared.problem}")
    trace = searched.trace
    if not len(trace.final):
        hint(f"No passage was found for “{trace.query}”. Try other words.")
        return None
    ids = shown_order(trace, shown=choice.shown, blind=choice.blind, rater=rater)
    return GradingSheet(
        rater=rater,
        query=trace.query,
        query_id=searched.query_id,
        held_out=searched.held_out,
        index=choice.index,
        build=shared.pipeline.index.manifest.build,
        passages=tuple(trace.passages[passage_id] for passage_id in ids),
        cards={}
        if choice.blind
        else {card.passage_id: card for card in reranked_cards(trace, None, shown=choice.shown)},
        grades=grades_of(grades, rater=rater, query=trace.query),
        analyzer=trace.analyzer,
    )


def _search(shared: SharedPipeline, query: str, judged: dict[str, JudgedSet]) -> SearchedQuery:
    """Search the query, unless it was the last one searched."""
    settings = default_choice(shared.pipeline.index.manifest.name).settings
    request = (shared.fingerprint, query, settings)
    last: tuple[object, SearchedQuery] | None = st.session_state.get(FOUND_KEY)
    if last is not None and last[0] == request:
        return last[1]
    trace = shared.search(query, settings)
    searched = SearchedQuery(trace, *known_query(judged, trace.query))
    st.session_state[FOUND_KEY] = (request, searched)
    return searched


def _figures(store: FeedbackStore, sheet: GradingSheet | None, grades: list[Grade], *, rater: str) -> list[Figure]:
    """The rater's progress with this query and in total, and the number of all grades."""
    own = [grade for grade in grades if grade.rater == rater]
    counts = store.counts()
    figures = []
    if sheet is not None:
        figures.append(Figure("This query", f"{sheet.graded} of {len(sheet.passages)}"))
    if rater:
        queries = len({grade.normalized for grade in own})
        figures.append(Figure("Your grades", f"{len(own):,} for {_queries(queries)}"))
    return [
        *figures,
        Figure("All grades", f"{counts.grades:,} for {_queries(counts.queries)}"),
        Figure("Protected", _queries(counts.protected), meaning("Protected")),
        Figure("Raters", f"{len(counts.by_rater):,}"),
    ]


def _queries(count: int) -> str:
    return f"{count:,} quer{'y' if count == 1 else 'ies'}"
