"""The Models page: versions of the re-ranker, how two of them compare, and which one is served."""

import streamlit as st

from app.background import Subject
from app.views.models.comparison import show_comparison
from app.views.models.history import action_words, show_history
from app.views.models.promotion import DONE_KEY, show_promotion
from app.views.models.versions import show_versions
from app.views.widgets import picked_link
from app.views.widgets.figures import Figure, figures_html
from app.views.widgets.notices import hint, plain, problem
from app.views.widgets.pickers import PICKED_KEY
from app.views.widgets.terms import meaning
from app.views.widgets.work import page_link
from indexing import places
from indexing.errors import ModelError
from training.versions import promoted as promotions
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
    st.html(TITLE)
    try:
        promotion = promotions.current_promotion()
    except ModelError as error:
        problem(error)
        return
    done = st.session_state.pop(DONE_KEY, "")
    if done:
        st.success(plain(done), icon=":material/check:")
        page_link(Subject("", "search"), label="Search with it")
    all_versions = versions()
    _show_served(promotion)
    if not all_versions:
        hint(
            f"There is no re-ranker in {places.shipped_reranker()} or {places.models()}, so searches aren't re-ranked."
        )
        return
    requested = picked_link.restore("models", LINKED)
    if st.session_state.get("models_tabs") not in TABS:
        st.session_state["models_tabs"] = st.session_state.get(PICKED_KEY, {}).get("models_tabs", TABS[0])
    versions_tab, compare_tab, promote_tab, history_tab = st.tabs(TABS, key="models_tabs", on_change="rerun")
    st.session_state.setdefault(PICKED_KEY, {})["models_tabs"] = st.session_state["models_tabs"]
    with versions_tab:
        show_versions(all_versions, promotion)
    with compare_tab:
        show_comparison(all_versions, promotion)
    with promote_tab:
        show_promotion(all_versions, promotion, read_only=read_only)
    with history_tab:
        show_history()
    picked_link.remember("models", LINKED, requested)


def _show_served(promotion: Promotion) -> None:
    since = promotion.at[:16].replace("T", " ") + " UTC" if promotion.at else "the start"
    figures = [
        Figure("Served", promotion.promoted, f"{meaning('Served')} {promotion.reason}".strip()),
        Figure("Since", since),
        Figure("Previous", promotion.before or "none"),
    ]
    if promotion.by:
        figures.append(Figure("By", promotion.by, action_words(promotion)))
    st.html(figures_html(figures))
