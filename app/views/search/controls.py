"""The settings in the sidebar; every change searches again."""

import streamlit as st

from app.views.search.choice import follow, key, touch
from app.views.widgets.fields import index_field, shown_field
from app.views.widgets.pipeline_fields import FUSION_NAMES, PipelineFields
from search.served import DEFAULT_RERANKER, LATE, NO_RERANKER


def search_sidebar(indexes: list[str], *, reranker: str) -> None:
    """All settings. `reranker` is the one that is used by default."""
    with st.sidebar:
        st.markdown("**First stage**")
        index_field(indexes, key=key("index"), on_change=follow, purpose="search")
        fields = PipelineFields(index=st.session_state[key("index")], key=key, touch=touch, follow=follow)
        fields.fusion(FUSION_NAMES)
        fields.bm25_weight()
        fields.bm25_settings()
        fields.depth()
        st.markdown("**Re-ranking**")
        fields.reranker([reranker, DEFAULT_RERANKER, LATE, NO_RERANKER], default=reranker)
        fields.rerank_depth()
        fields.rerank_weight()
        fields.rerank_mix()
        shown_field("Passages shown", key=key("shown"), on_change=touch, about="Passages of each list on this page.")
