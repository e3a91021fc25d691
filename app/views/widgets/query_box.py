"""Where a query is typed, and queries to try: examples, and those that have judgments."""

from collections.abc import Callable, Mapping

import streamlit as st

from app.views.widgets.fields import judged_field
from app.views.widgets.notices import plain
from app.views.widgets.own_examples import own_examples
from indexing.index import Index
from indexing.judged.sets import JudgedSet

EXAMPLES = (
    "how many people live in berlin",
    "where was bethoven bron",
    "jaguar",
    "what makes the tide rise and fall twice a day",
    "do crane flies bite",
    "how much cofee is safe when pregant",
)


def query_box(
    page: str,
    button: str,
    *,
    key: str,
    on_submit: Callable[[], None],
    icon: str | None = None,
    placeholder: str = "Ask a question or type some words",
) -> None:
    """The field and its button; Enter presses the button. `key` is the session's key of the query."""
    with st.form(f"{page}_form", border=False), st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.text_input(
            "Query",
            key=key,
            placeholder=placeholder,
            label_visibility="collapsed",
        )
        st.form_submit_button(
            button, key=f"{page}_submit", type="primary", icon=icon, on_click=on_submit, width="content"
        )


def suggestions(
    page: str, index: Index, judged: Mapping[str, JudgedSet], *, choose: Callable[[str], None], judged_help: str
) -> None:
    """Example queries as buttons, and a list of the judged ones where the index has some.

    `choose` gets the query that was picked; `judged_help` says what a judged query shows in addition.
    """
    with st.container(horizontal=True, gap="xsmall", key=f"{page}_examples"):
        for place, query in enumerate(_examples(index, judged)):
            st.button(plain(query), key=f"{page}_example_{place}", on_click=choose, args=(query,))
    queries = [query.text for split in ("test", "dev") if split in judged for query in judged[split].queries]
    if queries:
        judged_field(
            "Queries with judgments",
            queries,
            key=f"{page}_judged",
            take=choose,
            placeholder=f"Choose one of {len(set(queries)):,} judged queries",
            help=judged_help,
        )


def _examples(index: Index, judged: Mapping[str, JudgedSet]) -> tuple[str, ...]:
    """The usual examples for the bundled collection, which has judgments of them; for any other, some of its own."""
    if not judged:
        return own_examples(index.passages, index.analyzer, count=len(EXAMPLES))
    if any(queries.find(example) for queries in judged.values() for example in EXAMPLES):
        return EXAMPLES
    largest = max(judged.values(), key=lambda queries: len(queries.queries))
    return tuple(query.text for query in largest.queries[: len(EXAMPLES)])
