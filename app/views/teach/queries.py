"""Which query is graded: a typed one, one of the judged train queries, or the next that the rater hasn't graded."""

from collections.abc import Mapping, Sequence
from itertools import islice

import streamlit as st

from app.views.teach.choice import VIEWS, choose, key, touch
from app.views.widgets.fields import index_field, judged_field, shown_field
from app.views.widgets.notices import note
from indexing.corpus.judged import JudgedSet, normalised
from indexing.records import Query, QueryId
from training.judgments.feedback import Grade

LISTED = 1_000  # train queries that can be picked; a browser shows no more with ease


def rater_box() -> None:
    """Where the rater's name is typed."""
    st.text_input(
        "Your name",
        key=key("rater"),
        on_change=touch,
        placeholder="who is grading",
        width=260,
        help="Kept with every grade, in lower case, so that raters can be compared.",
    )


def query_box() -> None:
    """The field and its button; Enter shows the passages."""
    with st.form("teach_form", border=False), st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.text_input("Query", key=key("query"), placeholder="Type a query to grade its passages")
        st.form_submit_button("Show passages", key="teach_submit", type="primary", on_click=touch, width="content")


def sidebar(indexes: Sequence[str]) -> None:
    """All settings."""
    with st.sidebar:
        index_field(indexes, key=key("index"), on_change=touch, purpose="grade")
        st.radio("Passages", list(VIEWS), format_func=VIEWS.__getitem__, key=key("view"), on_change=touch)
        st.toggle(
            "Blind",
            key=key("blind"),
            on_change=touch,
            help="Passages come in a shuffled order, without ranks and scores, so that these can't sway you.",
        )
        shown_field(
            "Passages of each query", key=key("shown"), on_change=touch, about="The best of the re-ranked list."
        )


def pick(judged: Mapping[str, JudgedSet], grades: Sequence[Grade], *, rater: str, query: str) -> None:
    """A list of the judged train queries, and a button for the next one; a note where the index has none."""
    if "train" not in judged or not judged["train"].queries:
        note("This index has no judged train queries to pick from; type one.")
        return
    queries = judged["train"].queries
    following = next_ungraded(queries, {grade.normalised for grade in grades if grade.rater == rater}, after=query)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        judged_field(
            "Judged train queries",
            [item.text for item in islice(queries, LISTED)],
            key="teach_judged",
            take=lambda text: choose(query=text),
            label_visibility="collapsed",
            placeholder=f"Pick one of {min(len(queries), LISTED):,} train queries",
        )
        st.button(
            "Next ungraded",
            key="teach_next",
            icon=":material/skip_next:",
            on_click=choose,
            kwargs={"query": following.text if following else query},
            disabled=following is None,
            help="The next train query that you haven't graded."
            if following
            else "You have graded every other train query.",
        )


def next_ungraded(queries: Sequence[Query], graded: set[str], *, after: str) -> Query | None:
    """The first query after this one that isn't graded, from the start again where none follows."""
    here = normalised(after)
    first: Query | None = None
    passed = False
    for query in queries:
        text = normalised(query.text)
        if text == here:
            passed = True
        elif text not in graded:
            if passed:
                return query
            first = first or query
    return first


def known_query(judged: Mapping[str, JudgedSet], text: str) -> tuple[QueryId | None, bool]:
    """The id of the judged query that reads so, and whether it is of another split than train."""
    wanted = normalised(text)
    for split in ("test", "dev", "train"):
        for query in judged[split].queries if split in judged else ():
            if normalised(query.text) == wanted:
                return query.id, split != "train"
    return None, False
