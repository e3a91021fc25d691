"""The models page: versions of re-rankers, how two of them compare, and which one is served."""

import streamlit as st

from app.views.models.comparison import show_comparison
from app.views.models.history import show_history
from app.views.models.promotion import SAID, show_promotion
from app.views.models.versions import show_versions
from app.views.widgets import picked_link
from app.views.widgets.figures import figures_html
from app.views.widgets.notices import hint, plain, problem
from app.views.widgets.pickers import KEPT
from app.views.widgets.style import apply_style
from indexing import places
from indexing.errors import ModelError
from training.versions import promoted as pointer
from training.versions.promoted import Promotion
from training.versions.registry import versions

TITLE = '<header class="sl-top"><h1>Models</h1><p>Every version of the re-ranker, and which one is served.</p></header>'
LINKED = {
    "tab": "models_tabs",
    "version": "models_a",
    "against": "models_b",
    "index": "models_compare_index",
    "split": "models_compare_split",
    "depth": "models_compare_depth",
    "candidate": "models_candidate",
    "gate.index": "models_gate_index",
    "gate.depth": "models_gate_depth",
}
TABS = ("Versions", "Compare", "Promote", "History")


def render(*, read_only: bool = False) -> None:
    """Draw the page; `read_only` neither promotes nor rolls back."""
    apply_style()
    st.html(TITLE)
    try:
        at = pointer.current()
    except ModelError as error:
        problem(error)
        return
    said = st.session_state.pop(SAID, "")
    if said:
        st.success(plain(said), icon=":material/check:")
    found = versions()
    _served(at)
    if not found:
        hint(
            f"There is no re-ranker at all, neither in {places.shipped_reranker()} nor in {places.models()}, "
            "so searches aren't re-ranked."
        )
        return
    wanted = picked_link.restore("models", LINKED)
    if st.session_state.get("models_tabs") not in TABS:
        st.session_state["models_tabs"] = st.session_state.get(KEPT, {}).get("models_tabs", TABS[0])
    listed, compared, promoted, past = st.tabs(TABS, key="models_tabs", on_change="rerun")
    st.session_state.setdefault(KEPT, {})["models_tabs"] = st.session_state["models_tabs"]
    with listed:
        show_versions(found, at)
    with compared:
        show_comparison(found, at)
    with promoted:
        show_promotion(found, at, read_only=read_only)
    with past:
        show_history()
    picked_link.remember("models", LINKED, wanted)


def _served(at: Promotion) -> None:
    since = at.at[:16].replace("T", " ") + " UTC" if at.at else "the beginning"
    figures = [("Served", at.promoted, at.reason), ("Since", since, ""), ("Before it", at.before or "nothing", "")]
    st.html(figures_html([*figures, *([("By", at.by, at.action)] if at.by else [])]))
