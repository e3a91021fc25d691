"""Where a comparison is set: the index, and the two pipelines."""

from functools import partial

import streamlit as st

from app.views.compare.choice import SIDES, follow, key, touch
from app.views.widgets.fields import index_field, shown_field
from app.views.widgets.pipeline_fields import SHORT_FUSION_NAMES, PipelineFields
from search.served import DEFAULT_RERANKER, LATE, NO_RERANKER
from training.versions.registry import versions


def compare_sidebar(indexes: list[str]) -> None:
    """What both pipelines have in common."""
    with st.sidebar:
        index_field(indexes, key=key("index"), on_change=partial(follow, *SIDES), purpose="search")
        shown_field("Passages shown", key=key("shown"), on_change=touch, about="Passages of each list on this page.")


def pipelines(*, reranker: str) -> None:
    """The settings of both, side by side. `reranker` is the one that is used by default."""
    known = [
        reranker,
        DEFAULT_RERANKER,
        *(version.id for version in versions() if not version.fault),
        LATE,
        NO_RERANKER,
    ]
    for side, column in zip(SIDES, st.columns(2, gap="medium"), strict=True):
        with column, st.container(border=True, key=f"compare_panel_{side}"):
            _pipeline(side, known, reranker)


def _pipeline(side: str, rerankers: list[str], default: str) -> None:
    fields = PipelineFields(
        index=st.session_state[key("index")],
        key=partial(key, side=side),
        touch=touch,
        follow=partial(follow, side),
        side=side.upper(),
    )
    left, right = st.columns(2, gap="small")
    with left:
        fields.reranker(rerankers, default=default)
    with right:
        fields.fusion(SHORT_FUSION_NAMES)
    with st.expander("Depths and weights", key=f"compare_{side}_more"):
        left, right = st.columns(2, gap="small")
        with left:
            fields.depth()
            fields.rerank_depth()
        with right:
            fields.bm25_weight()
            fields.rerank_weight()
            fields.rerank_mix()
    fields.bm25_settings()
