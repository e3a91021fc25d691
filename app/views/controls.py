"""The settings in the sidebar; every change searches again."""

import streamlit as st

from app.views.choice import DEEPEST, MOST_RERANKED, MOST_SHOWN, choose, key, touch
from app.views.notices import plain
from indexing.index import Index
from search.load import DEFAULT_RERANKER, NO_RERANKER

FUSION_NAMES = {
    "rrf": "Reciprocal rank fusion",
    "weighted": "Weighted sum",
    "bm25": "BM25 only",
    "dense": "Dense only",
}


def sidebar(indexes: list[str], *, reranker: str) -> None:
    """All settings. `reranker` is the one that is used by default."""
    with st.sidebar:
        _first_stage(indexes)
        _second_stage(reranker)
        st.number_input(
            "Places shown",
            min_value=1,
            max_value=MOST_SHOWN,
            key=key("shown"),
            on_change=touch,
            help="Places of each list on this page.",
        )


def about(index: Index) -> None:
    """What is searched, below the settings."""
    manifest = index.manifest
    encoder = manifest.bi_encoder.split("/")[-1]
    st.sidebar.caption(plain(f"{manifest.passages:,} passages, built on {manifest.created[:10]} with {encoder}"))


def _first_stage(indexes: list[str]) -> None:
    st.markdown("**First stage**")
    st.selectbox(
        "Index",
        sorted({*indexes, st.session_state[key("index")]}),
        key=key("index"),
        on_change=touch,
        help="The passages to search: an index that `python -m indexing build` made.",
    )
    st.selectbox(
        "Fusion",
        list(FUSION_NAMES),
        format_func=FUSION_NAMES.__getitem__,
        key=key("fusion"),
        on_change=touch,
        help="How the ranking by words (BM25) and the one by meaning (dense) become one.",
    )
    st.slider(
        "BM25's weight",
        min_value=0.0,
        max_value=1.0,
        step=0.05,
        key=key("bm25_weight"),
        on_change=touch,
        disabled=st.session_state[key("fusion")] != "weighted",
        help="BM25's share of the weighted sum; dense has the rest.",
    )
    st.number_input(
        "Depth",
        min_value=1,
        max_value=DEEPEST,
        step=10,
        key=key("depth"),
        on_change=_shrink_reranking,
        help="Passages kept of each ranking, and of their fusion.",
    )


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
    st.number_input(
        "Re-ranking depth",
        min_value=0,
        max_value=min(MOST_RERANKED, st.session_state[key("depth")]),
        step=10,
        key=key("rerank_depth"),
        on_change=touch,
        disabled=chosen == NO_RERANKER,
        help="The best passages of the first stage that the re-ranker reads; more take longer.",
    )
    st.slider(
        "Re-ranker's share",
        min_value=0.0,
        max_value=1.0,
        step=0.05,
        key=key("rerank_weight"),
        on_change=touch,
        disabled=chosen == NO_RERANKER,
        help="Weight of the re-ranker's score against the first stage's; 1 ranks by the re-ranker alone.",
    )


def _shrink_reranking() -> None:
    """No more passages can be re-ranked than are kept."""
    choose(rerank_depth=min(st.session_state[key("rerank_depth")], st.session_state[key("depth")]))


def _keep_reranker(reranker: str) -> None:
    """A field that was cleared is filled again."""
    choose(reranker=(st.session_state[key("reranker")] or "").strip() or reranker)
