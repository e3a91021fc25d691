"""Fields and captions that several pages show; each page passes its own keys and callbacks."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import streamlit as st

from app.environment import read_only
from app.views.widgets.notices import plain
from app.views.widgets.search_choice import MOST_SHOWN
from app.views.widgets.terms import meaning
from indexing.index import Index

OnChange = Callable[..., None]


def index_field(indexes: Iterable[str], *, key: str, on_change: OnChange, purpose: str) -> None:
    """Which index; the chosen one is listed even when it no longer exists. `purpose` is a verb, such as `search`."""
    st.selectbox(
        "Index",
        sorted({*indexes, st.session_state[key]}),
        key=key,
        on_change=on_change,
        help=f"{meaning('Index')} You {purpose} its passages."
        + ("" if read_only() else " Build one on the Indexes page."),
    )


def shown_field(label: str, *, key: str, on_change: OnChange, about: str) -> None:
    """How many passages the page shows."""
    st.number_input(label, min_value=1, max_value=MOST_SHOWN, key=key, on_change=on_change, help=about)


def judged_field(label: str, queries: Sequence[str], *, key: str, take: Callable[[str], None], **options: Any) -> None:
    """A list of queries, each once; the chosen one is handed to `take`, and the list is cleared for the next choice."""
    st.selectbox(
        label,
        list(dict.fromkeys(queries)),
        index=None,
        key=key,
        on_change=_take_chosen,
        args=(key, take),
        **options,
    )


def index_caption(index: Index) -> None:
    """The size, date and bi-encoder of the index, below the sidebar's settings."""
    manifest = index.manifest
    encoder = manifest.bi_encoder.split("/")[-1]
    st.sidebar.caption(plain(f"{manifest.passages:,} passages, built on {manifest.created[:10]} with {encoder}"))


def _take_chosen(key: str, take: Callable[[str], None]) -> None:
    query = st.session_state[key]
    st.session_state[key] = None
    if query:
        take(query)
