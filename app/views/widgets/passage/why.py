"""Answers "Why this rank?": the cards' buttons ask, a dialog computes the answer and shows it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import streamlit as st

from app.resources import Opened
from app.turns import turn
from app.views.widgets.notices import note, problem
from app.views.widgets.passage.why_html import STYLE, bm25_html, nearest_html, stations_html, words_html
from indexing.errors import SecondLookError
from indexing.records import PassageId
from search.explain.bm25 import explain_bm25
from search.explain.sentences import nearest_sentences
from search.explain.words import occlude
from search.settings import PipelineSettings
from search.trace import SearchTrace

# Cards are plain HTML; this tells Python which of their buttons was pressed. They are shown only while it hears them.
LISTENER = """
export default function ({ setTriggerValue }) {
  const ask = (event) => {
    const button = event.target.closest(".sl-ask");
    if (!button) return;
    const list = button.closest(".sl-column-first") ? "first" : "second";
    setTriggerValue("why", { list, passage: button.closest("[data-passage]").dataset.passage });
  };
  document.addEventListener("click", ask);
  document.documentElement.dataset.slHears = "why";
  return () => {
    document.removeEventListener("click", ask);
    delete document.documentElement.dataset.slHears;
  };
}
"""
LEAD = 240  # characters of the passage at the head of the dialog
_ASKED = "why_asked"
_listener = st.components.v2.component("second_look_why", js=LISTENER)


@dataclass(frozen=True)
class Asked:
    """A passage that a user wants explained."""

    column: str
    """The list whose card was pressed: `first` or `second`."""
    passage_id: PassageId


def listen(*, key: str) -> None:
    """Hear the cards' buttons on this page; called once, after everything else."""
    st.html(STYLE)
    _listener(key=key, on_why_change=partial(_keep, key))


def asked() -> Asked | None:
    """What was asked since the page was drawn last; once."""
    value = st.session_state.pop(_ASKED, None)
    if not isinstance(value, Mapping):
        return None
    return Asked(str(value.get("list")), PassageId(str(value.get("passage"))))


@st.dialog("Why this rank?", width="medium")
def show_why(opened: Opened, trace: SearchTrace, passage_id: PassageId, settings: PipelineSettings) -> None:
    """The dialog; `settings` are those of the search that gave this trace."""
    passage = trace.passages[passage_id]
    lead = passage.content
    note(lead if len(lead) <= LEAD else lead[:LEAD] + " …")
    st.html(stations_html(trace, passage_id, settings))
    _heading("By words", "BM25, term by term")
    _bm25(opened, trace.query, passage.content, settings)
    _heading("By meaning", "the sentence nearest to the query for the bi-encoder")
    _dense(opened, trace.query, passage.content)
    _heading("By the re-ranker", "which words raise its score, and which lower it")
    _reranker(opened, trace.query, passage.content)


def _keep(key: str) -> None:
    st.session_state[_ASKED] = st.session_state[key].why


def _heading(title: str, about: str) -> None:
    st.html(f'<h3 class="sl-heading">{title} <small>{about}</small></h3>')


def _bm25(opened: Opened, query: str, content: str, settings: PipelineSettings) -> None:
    found = explain_bm25(opened.pipeline.index, query, content, k1=settings.k1, b=settings.b)
    if found.terms:
        st.html(bm25_html(found))
    else:
        note("The query has only stop words, which BM25 doesn't count.")


def _dense(opened: Opened, query: str, content: str) -> None:
    try:
        with st.spinner("Comparing sentences …"), turn():
            found = nearest_sentences(opened.pipeline.encoder, query, content)
    except SecondLookError as error:
        problem(error)
        return
    if found.sentences:
        st.html(nearest_html(found))


def _reranker(opened: Opened, query: str, content: str) -> None:
    reranker = opened.pipeline.reranker
    if reranker is None:
        note("There is no re-ranker in this search.")
        return
    try:
        with st.spinner("Leaving out each word in turn …"), turn():
            found = occlude(reranker, query, content)
    except SecondLookError as error:
        problem(error)
        return
    st.html(words_html(found))
