"""The Indexes page: running builds, a card for each index, and the form for a new one."""

import streamlit as st

from app.views.indexes.cards import show_indexes
from app.views.indexes.form import show_form
from app.views.indexes.jobs import show_jobs
from indexing import places

TITLE = '<header class="sl-top"><h1>Indexes</h1><p>Build, verify and choose the indexes to search.</p></header>'


def render(*, read_only: bool = False) -> None:
    """Draw the page; `read_only` shows only the indexes."""
    st.html(TITLE)
    root = places.indexes()
    if not read_only:
        show_jobs(root)
    show_indexes(root, read_only=read_only)
    if not read_only:
        show_form(root)
