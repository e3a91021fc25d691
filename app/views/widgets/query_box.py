"""Where the query is typed, and queries to try: examples and those that have judgments."""

from collections.abc import Mapping

import streamlit as st

from app.views.widgets.fields import judged_field
from app.views.widgets.notices import plain
from app.views.widgets.pipeline_choice import choose, key, touch
from indexing.corpus.judged import JudgedSet

EXAMPLES = (
    "how many people live in berlin",
    "where was bethoven bron",
    "jaguar",
    "what makes the tide rise and fall twice a day",
    "do crane flies bite",
    "how much cofee is safe when pregant",
)


def query_box() -> None:
    """The field and its button; Enter searches."""
    with st.form("search_form", border=False), st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.text_input(
            "Query",
            key=key("query"),
            placeholder="Ask a question or type some words",
            label_visibility="collapsed",
        )
        st.form_submit_button(
            "Search", key="search_submit", type="primary", icon=":material/search:", on_click=touch, width="content"
        )


def suggestions(judged: Mapping[str, JudgedSet]) -> None:
    """Example queries as buttons, and a list of the judged ones where the index has some."""
    with st.container(horizontal=True, gap="xsmall", key="search_examples"):
        for place, query in enumerate(_examples(judged)):
            st.button(plain(query), key=f"search_example_{place}", on_click=choose, kwargs={"query": query})
    queries = [query.text for split in ("test", "dev") if split in judged for query in judged[split].queries]
    if queries:
        judged_field(
            "Queries with judgments",
            queries,
            key="search_judged",
            take=lambda query: choose(query=query),
            placeholder=f"Choose one of {len(queries):,} judged queries",
            help="With a judged query the page shows how much re-ranking helped: nDCG@10 before and after.",
        )


def _examples(judged: Mapping[str, JudgedSet]) -> tuple[str, ...]:
    """The usual examples; for an index that has judged queries but not these, some of its own."""
    if not judged or any(found.find(query) for found in judged.values() for query in EXAMPLES):
        return EXAMPLES
    largest = max(judged.values(), key=lambda found: len(found.queries))
    return tuple(query.text for query in largest.queries[: len(EXAMPLES)])
