"""Where a comparison is set: the query, the index, and the two pipelines."""

from collections.abc import Mapping
from functools import partial

import streamlit as st

from app.views.compare.choice import SIDES, choose, key, touch
from app.views.widgets.fields import (
    FUSION_WORDS,
    bm25_settings_fields,
    bm25_weight_field,
    depth_field,
    index_field,
    judged_field,
    rerank_depth_field,
    rerank_mix_field,
    rerank_weight_field,
    shown_field,
)
from app.views.widgets.notices import plain
from app.views.widgets.query_box import EXAMPLES
from indexing.corpus.judged import JudgedSet
from search.load import DEFAULT_RERANKER, NO_RERANKER
from training.versions.registry import versions

MOST_EXAMPLES = 6


def query_box() -> None:
    """The field and its button; Enter compares."""
    with (
        st.form("compare_form", border=False),
        st.container(horizontal=True, vertical_alignment="bottom", gap="small"),
    ):
        st.text_input(
            "Query",
            key=key("query"),
            placeholder="Ask a question or type some words",
            label_visibility="collapsed",
        )
        st.form_submit_button(
            "Compare",
            key="compare_submit",
            type="primary",
            icon=":material/compare_arrows:",
            on_click=touch,
            width="content",
        )


def suggestions(judged: Mapping[str, JudgedSet]) -> None:
    """Queries to try as buttons, judged ones where the index has some, and a list of all that are judged."""
    found = [query.text for split in ("test", "dev") if split in judged for query in judged[split].queries]
    queries = list(dict.fromkeys(found))
    examples = [query for query in EXAMPLES if query in queries] or queries[:MOST_EXAMPLES] or EXAMPLES
    with st.container(horizontal=True, gap="xsmall", key="compare_examples"):
        for place, query in enumerate(examples):
            st.button(plain(query), key=f"compare_example_{place}", on_click=choose, args=("query", query))
    if queries:
        judged_field(
            "Queries with judgments",
            queries,
            key="compare_judged",
            take=partial(choose, "query"),
            placeholder=f"Choose one of {len(queries):,} judged queries",
            help="With a judged query the page shows what each pipeline is worth: its nDCG@10.",
        )


def sidebar(indexes: list[str]) -> None:
    """What both pipelines have in common."""
    with st.sidebar:
        index_field(indexes, key=key("index"), on_change=touch, purpose="search")
        shown_field("Places shown", key=key("shown"), on_change=touch, about="Places of each list on this page.")


def pipelines(*, reranker: str) -> None:
    """The settings of both, side by side. `reranker` is the one that is used by default."""
    known = [reranker, DEFAULT_RERANKER, *(version.id for version in versions() if not version.fault), NO_RERANKER]
    for side, column in zip(SIDES, st.columns(2, gap="medium"), strict=True):
        with column, st.container(border=True, key=f"compare_panel_{side}"):
            _pipeline(side, known, reranker)


def _pipeline(side: str, rerankers: list[str], usual: str) -> None:
    name = side.upper()
    left, right = st.columns(2, gap="small")
    chosen = st.session_state[key("reranker", side)]
    left.selectbox(
        f"{name}: re-ranker",
        list(dict.fromkeys([*rerankers, chosen])),
        key=key("reranker", side),
        on_change=_keep_reranker,
        args=(side, usual),
        accept_new_options=True,
        help="Choose one, or type a folder or a hub name such as cross-encoder/ms-marco-MiniLM-L6-v2.",
    )
    right.selectbox(
        f"{name}: fusion",
        list(FUSION_WORDS),
        format_func=FUSION_WORDS.__getitem__,
        key=key("fusion", side),
        on_change=touch,
        help="How the ranking by words (BM25) and the one by meaning (dense) become one: by reciprocal ranks (RRF), "
        "by a weighted sum of their scores, or one of them alone.",
    )
    with st.expander("Depths and weights", key=f"compare_{side}_more"):
        left, right = st.columns(2, gap="small")
        with left:
            _depths(side)
        with right:
            _weights(side)
    bm25_settings_fields(
        f"{name}: ",
        index=st.session_state[key("index")],
        key=partial(key, side=side),
        touch=touch,
        disabled=st.session_state[key("fusion", side)] == "dense",
    )


def _depths(side: str) -> None:
    name, kept = side.upper(), st.session_state[key("depth", side)]
    alone = st.session_state[key("reranker", side)] == NO_RERANKER
    depth_field(f"{name}: depth", key=key("depth", side), on_change=_shrink_reranking, args=(side,))
    rerank_depth_field(
        f"{name}: re-ranking depth", key=key("rerank_depth", side), on_change=touch, depth=kept, disabled=alone
    )


def _weights(side: str) -> None:
    name = side.upper()
    weighted = st.session_state[key("fusion", side)] == "weighted"
    alone = st.session_state[key("reranker", side)] == NO_RERANKER
    bm25_weight_field(f"{name}: BM25's weight", key=key("bm25_weight", side), on_change=touch, disabled=not weighted)
    rerank_weight_field(f"{name}: re-ranker's share", key=key("rerank_weight", side), on_change=touch, disabled=alone)
    pure = st.session_state[key("rerank_weight", side)] == 1
    rerank_mix_field(f"{name}: mixed with", key=key("rerank_mix", side), on_change=touch, disabled=alone or pure)


def _shrink_reranking(side: str) -> None:
    """No more passages can be re-ranked than are kept."""
    depths = (st.session_state[key(field, side)] for field in ("rerank_depth", "depth"))
    choose("rerank_depth", min(depths), side)


def _keep_reranker(side: str, usual: str) -> None:
    """A field that was cleared is filled again."""
    choose("reranker", (st.session_state[key("reranker", side)] or "").strip() or usual, side)
