"""Where a query is typed, and queries to try: examples, and those that have judgments."""

from collections.abc import Callable, Mapping

import streamlit as st

from app.views.widgets.examples import EXAMPLES, Example
from app.views.widgets.fields import judged_field
from app.views.widgets.notices import plain
from app.views.widgets.own_examples import own_examples
from indexing.index import Index
from indexing.judged.sets import JudgedSet

OWN = 6  # examples of a corpus of one's own


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
    """Example queries as buttons with their captions, and a list of the judged ones where the index has some.

    `choose` gets the query that was picked; `judged_help` says what a judged query shows in addition.
    """
    with st.container(horizontal=True, gap="xsmall", key=f"{page}_examples"):
        for place, example in enumerate(_examples(index, judged)):
            st.button(_label(example), key=f"{page}_example_{place}", on_click=choose, args=(example.query,))
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


def _examples(index: Index, judged: Mapping[str, JudgedSet]) -> tuple[Example, ...]:
    """Those of the bundled collection, which judges them; for any other, some of its own passages' words."""
    if any(queries.find(example.query) for queries in judged.values() for example in EXAMPLES):
        return EXAMPLES
    return tuple(Example(query, "") for query in own_examples(index.passages, index.analyzer, count=OWN))


def _label(example: Example) -> str:
    return f"{plain(example.query)} :small[{plain(example.about)}]" if example.about else plain(example.query)
