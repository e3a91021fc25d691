"""The settings in the sidebar; every change searches again."""

import streamlit as st

from app.views.widgets.fields import (
    FUSION_NAMES,
    bm25_settings_fields,
    bm25_weight_field,
    depth_field,
    index_field,
    rerank_depth_field,
    rerank_mix_field,
    rerank_weight_field,
    shown_field,
)
from app.views.widgets.pipeline_choice import choose, key, touch
from search.load import DEFAULT_RERANKER, NO_RERANKER


def sidebar(indexes: list[str], *, reranker: str) -> None:
    """All settings. `reranker` is the one that is used by default."""
    with st.sidebar:
        _first_stage(indexes)
        _second_stage(reranker)
        shown_field("Places shown", key=key("shown"), on_change=touch, about="Places of each list on this page.")


def _first_stage(indexes: list[str]) -> None:
    st.markdown("**First stage**")
    index_field(indexes, key=key("index"), on_change=touch, purpose="search")
    st.selectbox(
        "Fusion",
        list(FUSION_NAMES),
        format_func=FUSION_NAMES.__getitem__,
        key=key("fusion"),
        on_change=touch,
        help="How the ranking by words (BM25) and the one by meaning (dense) become one.",
    )
    weighted = st.session_state[key("fusion")] == "weighted"
    bm25_weight_field("BM25's weight", key=key("bm25_weight"), on_change=touch, disabled=not weighted)
    dense_alone = st.session_state[key("fusion")] == "dense"
    bm25_settings_fields("", index=st.session_state[key("index")], key=key, touch=touch, disabled=dense_alone)
    depth_field("Depth", key=key("depth"), on_change=_shrink_reranking)


def _second_stage(reranker: str) -> None:
    st.markdown("**Re-ranking**")
    chosen = st.session_state[key("reranker")]
    st.selectbox(
        "Re-ranker",
        list(dict.fromkeys([reranker, DEFAULT_RERANKER, NO_RERANKER, chosen])),
        key=key("reranker"),
        on_change=_keep_reranker,
        args=(reranker,),
        accept_new_options=True,
        help="Choose one, or type a folder or a hub name such as cross-encoder/ms-marco-MiniLM-L6-v2.",
    )
    alone = chosen == NO_RERANKER
    depth = st.session_state[key("depth")]
    rerank_depth_field("Re-ranking depth", key=key("rerank_depth"), on_change=touch, depth=depth, disabled=alone)
    rerank_weight_field("Re-ranker's share", key=key("rerank_weight"), on_change=touch, disabled=alone)
    pure = st.session_state[key("rerank_weight")] == 1
    rerank_mix_field("Mixed with", key=key("rerank_mix"), on_change=touch, disabled=alone or pure)


def _shrink_reranking() -> None:
    """No more passages can be re-ranked than are kept."""
    choose(rerank_depth=min(st.session_state[key("rerank_depth")], st.session_state[key("depth")]))


def _keep_reranker(reranker: str) -> None:
    """A field that was cleared is filled again."""
    choose(reranker=(st.session_state[key("reranker")] or "").strip() or reranker)
