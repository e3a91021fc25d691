"""Fields that several pages have; each page says by its key and callback whose they are."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import streamlit as st

from app import resources
from app.views.widgets.notices import note, plain
from app.views.widgets.pipeline_choice import DEEPEST, HIGHEST_K1, MOST_RERANKED, MOST_SHOWN
from indexing.index import Index

Changed = Callable[..., None]
MIX_NAMES = {"fused": "First stage", "dense": "Dense"}


def index_field(indexes: Iterable[str], *, key: str, on_change: Changed, purpose: str) -> None:
    """Which index; the one that is chosen is listed though it be gone. `purpose` is what is done with its passages."""
    st.selectbox(
        "Index",
        sorted({*indexes, st.session_state[key]}),
        key=key,
        on_change=on_change,
        help=f"The passages to {purpose}: an index that `python -m indexing build` made.",
    )


def shown_field(label: str, *, key: str, on_change: Changed, about: str) -> None:
    """How many passages the page shows."""
    st.number_input(label, min_value=1, max_value=MOST_SHOWN, key=key, on_change=on_change, help=about)


def depth_field(label: str, *, key: str, on_change: Changed, args: tuple[Any, ...] = ()) -> None:
    """The first stage's depth."""
    st.number_input(
        label,
        min_value=1,
        max_value=DEEPEST,
        step=10,
        key=key,
        on_change=on_change,
        args=args,
        help="Passages kept of each ranking, and of their fusion.",
    )


def rerank_depth_field(label: str, *, key: str, on_change: Changed, depth: int, disabled: bool) -> None:
    """How many of the `depth` passages are re-ranked."""
    st.number_input(
        label,
        min_value=0,
        max_value=min(MOST_RERANKED, depth),
        step=10,
        key=key,
        on_change=on_change,
        disabled=disabled,
        help="The best passages of the first stage that the re-ranker reads; more take longer.",
    )


def bm25_weight_field(label: str, *, key: str, on_change: Changed, disabled: bool) -> None:
    """BM25's share of a weighted sum."""
    about = "BM25's share of the weighted sum; dense has the rest."
    _share(label, key=key, on_change=on_change, disabled=disabled, about=about)


def bm25_settings_fields(prefix: str, *, index: str, key: Callable[[str], str], touch: Changed, disabled: bool) -> None:
    """BM25's k1 and b, empty for the index's own, and a button that empties them; nothing where they can't be set.

    `prefix` begins each field's label, `key` gives the session's key of a field.
    """
    own = resources.own_bm25(index)
    if own is None:
        if any(st.session_state[key(field)] is not None for field in ("k1", "b")):
            note(f"{prefix}BM25’s k1 and b can’t be set for index {index}; its own are used.")
            _empty(key)
        return
    with st.expander(f"{prefix}BM25’s k1 and b", key=key("bm25_settings")):
        for field, usual, most, about in (
            ("k1", own.k1, HIGHEST_K1, "How much a term counts that a passage repeats; 0: not at all."),
            ("b", own.b, 1.0, "How much a long passage loses; 0: nothing."),
        ):
            st.number_input(
                f"{prefix}{field}",
                min_value=0.0,
                max_value=most,
                value=None,
                step=0.05,
                format="%g",
                key=key(field),
                on_change=touch,
                disabled=disabled,
                placeholder=f"{usual:g}, the index's own",
                help=f"{about} Empty for the index's own.",
            )
        st.button(
            "The index's own",
            key=key("own_bm25"),
            on_click=_reset,
            args=(key, touch),
            disabled=disabled or all(st.session_state[key(field)] is None for field in ("k1", "b")),
        )


def rerank_weight_field(label: str, *, key: str, on_change: Changed, disabled: bool) -> None:
    """The re-ranker's share of the mixture."""
    about = "Weight of the re-ranker's score where it is mixed with another; 1 ranks by the re-ranker alone."
    _share(label, key=key, on_change=on_change, disabled=disabled, about=about)


def rerank_mix_field(label: str, *, key: str, on_change: Changed, disabled: bool) -> None:
    """What the re-ranker's score is mixed with."""
    st.selectbox(
        label,
        list(MIX_NAMES),
        format_func=MIX_NAMES.__getitem__,
        key=key,
        on_change=on_change,
        disabled=disabled,
        help="The score of the list that was re-ranked, or each passage's cosine by the bi-encoder.",
    )


def judged_field(label: str, queries: Sequence[str], *, key: str, take: Callable[[str], None], **more: Any) -> None:
    """A list of queries, each once; the chosen one is handed to `take`, and the list stands open for another."""
    st.selectbox(
        label,
        list(dict.fromkeys(queries)),
        index=None,
        key=key,
        on_change=_taken,
        args=(key, take),
        **more,
    )


def _reset(key: Callable[[str], str], touch: Changed) -> None:
    touch()
    _empty(key)


def _empty(key: Callable[[str], str]) -> None:
    st.session_state.update({key(field): None for field in ("k1", "b")})


def _share(label: str, *, key: str, on_change: Changed, disabled: bool, about: str) -> None:
    st.slider(
        label, min_value=0.0, max_value=1.0, step=0.05, key=key, on_change=on_change, disabled=disabled, help=about
    )


def _taken(key: str, take: Callable[[str], None]) -> None:
    chosen = st.session_state[key]
    st.session_state[key] = None
    if chosen:
        take(chosen)


FUSION_WORDS = {"rrf": "RRF", "weighted": "weighted sum", "bm25": "BM25", "dense": "dense"}
FUSION_NAMES = {
    "rrf": "Reciprocal rank fusion",
    "weighted": "Weighted sum",
    "bm25": "BM25 only",
    "dense": "Dense only",
}


def about(index: Index) -> None:
    """What is searched, below the settings."""
    manifest = index.manifest
    encoder = manifest.bi_encoder.split("/")[-1]
    st.sidebar.caption(plain(f"{manifest.passages:,} passages, built on {manifest.created[:10]} with {encoder}"))
