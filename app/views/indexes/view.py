"""The page of indexes: what is there and whether it is sound, builds that are going on, and a new one."""

import streamlit as st

from app import resources
from app.views.indexes.cards import show_indexes
from app.views.indexes.form import show_form
from app.views.indexes.jobs import show_jobs
from app.views.widgets.style import apply_style

TITLE = '<header class="sl-top"><h1>Indexes</h1><p>What can be searched, and what it was built from.</p></header>'


def render(*, read_only: bool = False) -> None:
    """Draw the page; `read_only` leaves the list alone."""
    apply_style()
    st.html(TITLE)
    root = resources.index_root()
    if not read_only:
        show_jobs(root)
    show_indexes(root, read_only=read_only)
    if not read_only:
        show_form(root)
