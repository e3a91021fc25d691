"""Answers the buttons on a passage's card: a dialog explains its rank, another takes a grade."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import streamlit as st

from app.environment import read_only
from app.resources import SharedPipeline
from app.turns import turn
from app.views.widgets.notices import note, problem
from app.views.widgets.passage.grading import show_grading
from app.views.widgets.passage.why_html import STYLE, bm25_html, nearest_html, stations_html, words_html
from indexing.errors import SecondLookError
from indexing.records import PassageId
from search.explain.bm25 import explain_bm25
from search.explain.sentences import nearest_sentences
from search.explain.words import occlude
from search.settings import PipelineSettings
from search.trace import SearchTrace

# Cards are plain HTML; this reports to Python which button was pressed. The buttons are hidden while it isn't running.
LISTENER = """
export default function ({ setTriggerValue }) {
  const ask = (event) => {
    const button = event.target.closest(".sl-ask");
    if (!button) return;
    const list = button.closest(".sl-column-first") ? "first" : "second";
    const asks = button.matches(".sl-to-grade") ? "grade" : "why";
    setTriggerValue("why", { list, asks, passage: button.closest("[data-passage]").dataset.passage });
  };
  document.addEventListener("click", ask);
  document.documentElement.dataset.slHears = "why";
  return () => {
    document.removeEventListener("click", ask);
    delete document.documentElement.dataset.slHears;
  };
}
"""
LEAD_LENGTH = 240  # characters of the passage at the top of the dialog
_QUESTION_KEY = "why_asked"  # session: the button that was pressed
_listener = st.components.v2.component("second_look_why", js=LISTENER)


@dataclass(frozen=True)
class CardQuestion:
    """A passage whose rank a user wants explained, or who wants to grade it."""

    column: str
    """The list whose card was pressed: `first` or `second`."""
    passage_id: PassageId
    asks: str
    """What for: `why` or `grade`."""


def listen(*, key: str) -> None:
    """Listen to the cards' buttons on this page; called once, after everything else."""
    st.html(STYLE)
    _listener(key=key, on_why_change=partial(_store, key))


def take_question() -> CardQuestion | None:
    """The question asked since the page was last drawn; it is returned only once."""
    value = st.session_state.pop(_QUESTION_KEY, None)
    if not isinstance(value, Mapping):
        return None
    return CardQuestion(str(value.get("list")), PassageId(str(value.get("passage"))), str(value.get("asks", "why")))


def answer_card(question: CardQuestion, shared: SharedPipeline, trace: SearchTrace, settings: PipelineSettings) -> None:
    """Open the dialog that the button stands for; `settings` are those of the search that produced this trace."""
    if question.asks == "grade" and not read_only():
        show_grading(shared, trace, question.passage_id)
    else:
        show_why(shared, trace, question.passage_id, settings)


@st.dialog("Why this rank?", width="medium")
def show_why(shared: SharedPipeline, trace: SearchTrace, passage_id: PassageId, settings: PipelineSettings) -> None:
    """Show the dialog; `settings` are those of the search that produced this trace."""
    passage = trace.passages[passage_id]
    lead = passage.content
    note(lead if len(lead) <= LEAD_LENGTH else lead[:LEAD_LENGTH] + " …")
    st.html(stations_html(trace, passage_id, settings))
    _heading("By words", "BM25, term by term")
    _bm25(shared, trace.query, passage.content, settings)
    _heading("By meaning", "the sentence that the bi-encoder finds closest to the query")
    _dense(shared, trace.query, passage.content)
    _heading("By the re-ranker", "which words raise its score and which lower it")
    _reranker(shared, trace.query, passage.content)


def _store(key: str) -> None:
    st.session_state[_QUESTION_KEY] = st.session_state[key].why


def _heading(title: str, about: str) -> None:
    st.html(f'<h3 class="sl-heading">{title} <small>{about}</small></h3>')


def _bm25(shared: SharedPipeline, query: str, content: str, settings: PipelineSettings) -> None:
    try:
        explanation = explain_bm25(shared.pipeline.index, query, content, k1=settings.k1, b=settings.b)
    except SecondLookError as error:
        problem(error)
        return
    if explanation.terms:
        st.html(bm25_html(explanation))
    else:
        note("The query has only stop words, which BM25 ignores.")


def _dense(shared: SharedPipeline, query: str, content: str) -> None:
    try:
        with st.spinner("Comparing sentences …"), turn():
            nearest = nearest_sentences(shared.pipeline.encoder, query, content)
    except SecondLookError as error:
        problem(error)
        return
    if nearest.sentences:
        st.html(nearest_html(nearest))


def _reranker(shared: SharedPipeline, query: str, content: str) -> None:
    reranker = shared.pipeline.reranker
    if reranker is None:
        note("This search has no re-ranker.")
        return
    try:
        with st.spinner("Scoring the passage without each word in turn …"), turn():
            occlusion = occlude(reranker, query, content)
    except SecondLookError as error:
        problem(error)
        return
    st.html(words_html(occlusion))
