"""Which query is graded: a typed one, a judged train query, or the next one that the rater hasn't graded."""

from collections.abc import Callable, Mapping, Sequence
from itertools import islice

import streamlit as st

from app.views.teach.choice import VIEWS, choose, key, touch
from app.views.widgets.fields import index_field, judged_field, shown_field
from app.views.widgets.notices import note
from app.views.widgets.query_box import query_box
from app.views.widgets.terms import meaning
from indexing.corpus.same_text import text_key
from indexing.judged.queries import normalize_query
from indexing.judged.sets import JudgedSet
from indexing.records import Query, QueryId
from training.judgments.feedback import Grade, is_drawn

MOST_LISTED = 1_000  # train queries that can be picked; more slow the browser down


def rater_box() -> None:
    """The field for the rater's name."""
    st.text_input(
        "Your name",
        key=key("rater"),
        on_change=touch,
        placeholder="Who is grading?",
        width=260,
        help="Stored with every grade, in lower case, so that raters can be compared.",
    )


def grading_query_box() -> None:
    """The field for the query and its button; Enter shows the passages."""
    placeholder = "Type a query to grade its passages"
    query_box("teach", "Show passages", key=key("query"), on_submit=touch, placeholder=placeholder)


def teach_sidebar(indexes: Sequence[str]) -> None:
    """All settings."""
    with st.sidebar:
        index_field(indexes, key=key("index"), on_change=touch, purpose="grade")
        st.radio("Passages", list(VIEWS), format_func=VIEWS.__getitem__, key=key("view"), on_change=touch)
        st.toggle(
            "Blind",
            key=key("blind"),
            on_change=touch,
            help=meaning("Blind"),
        )
        shown_field(
            "Passages per query",
            key=key("shown"),
            on_change=touch,
            about=f"The best of the re-ranked list. {meaning('Re-ranked')}",
        )


def pick_query(
    judged: Mapping[str, JudgedSet], grades: Sequence[Grade], *, rater: str, query: str, protected_share: float
) -> None:
    """A list of the judged train queries, and a button for the next ungraded one; a note where the index has none.

    Queries that will be trained on come first, then those of the protected share.
    """
    if "train" not in judged or not judged["train"].queries:
        note("This index has no judged train queries to pick from; type a query instead.")
        return
    queries = judged["train"].queries
    graded = {grade.normalized for grade in grades if grade.rater == rater}
    drawn = {text for one in queries if is_drawn(text := normalize_query(one.text), share=protected_share)}
    following = next_ungraded(queries, graded | drawn, after=query) or next_ungraded(queries, graded, after=query)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        judged_field(
            "Judged train queries",
            [train_query.text for train_query in islice(queries, MOST_LISTED)],
            key="teach_judged",
            take=lambda text: choose(query=text),
            label_visibility="collapsed",
            placeholder=f"Pick one of {min(len(queries), MOST_LISTED):,} train queries",
        )
        st.button(
            "Next ungraded",
            key="teach_next",
            icon=":material/skip_next:",
            shortcut="N",
            on_click=choose,
            kwargs={"query": following.text if following else query},
            disabled=following is None,
            help="Shows the next train query that you haven't graded; those that only measure come last."
            if following
            else "You have graded every other train query.",
        )


def next_ungraded(queries: Sequence[Query], graded: set[str], *, after: str) -> Query | None:
    """The first ungraded query after this one, searching again from the start where none follows."""
    here = normalize_query(after)
    first: Query | None = None
    passed = False
    for query in queries:
        text = normalize_query(query.text)
        if text == here:
            passed = True
        elif text not in graded:
            if passed:
                return query
            first = first or query
    return first


def known_query(judged: Mapping[str, JudgedSet], text: str) -> tuple[QueryId | None, bool]:
    """The id of the judged query with this text, and whether it belongs to a split other than train."""
    normalised_text = normalize_query(text)
    for split in ("test", "dev", "train"):
        for query in judged[split].queries if split in judged else ():
            if normalize_query(query.text) == normalised_text:
                return query.id, split != "train"
    return None, False


def held_out_texts(judged: Mapping[str, JudgedSet]) -> Callable[[str], bool]:
    """Whether a query says the same as one in a judged split other than train, as training compares them."""
    keys = {text_key(query.text) for split in judged if split != "train" for query in judged[split].queries}
    return lambda query: text_key(query) in keys
