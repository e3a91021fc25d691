"""One field for each setting of a search pipeline; a page arranges them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from app import rerankers, resources
from app.environment import read_only
from app.views.widgets.notices import note
from app.views.widgets.search_choice import DEEPEST, HIGHEST_K1, MOST_RERANKED
from app.views.widgets.terms import meaning
from search.served import NO_RERANKER

FUSION_NAMES = {
    "rrf": "Reciprocal rank fusion",
    "weighted": "Weighted sum",
    "bm25": "BM25 only",
    "dense": "Dense only",
}
SHORT_FUSION_NAMES = {"rrf": "RRF", "weighted": "weighted sum", "bm25": "BM25", "dense": "dense"}
MIX_NAMES = {"fused": "First stage", "dense": "Dense", "late": "Late interaction"}
BM25_FIELDS = ("k1", "b")


@dataclass(frozen=True, kw_only=True)
class PipelineFields:
    """The fields of one pipeline. A field that has no effect with the present settings is disabled."""

    index: str
    key: Callable[[str], str]
    """The session's key of a setting."""
    touch: Callable[..., None]
    """Called when a field changes."""
    follow: Callable[[], None]
    """Called when another re-ranker was picked, after its name was made usable."""
    side: str = ""
    """`A` or `B` where a page shows two pipelines; begins each label."""

    def _label(self, name: str) -> str:
        if not self.side:
            return name
        return f"{self.side}: {name if name.startswith('BM25') else name[0].lower() + name[1:]}"

    def _value(self, field: str) -> Any:
        return st.session_state[self.key(field)]

    @property
    def _without_reranker(self) -> bool:
        return bool(self._value("reranker") == NO_RERANKER)

    def fusion(self, names: Mapping[str, str]) -> None:
        """How the two first-stage rankings become one; `names` are the options and how they are called."""
        st.selectbox(
            self._label("Fusion"),
            list(names),
            format_func=names.__getitem__,
            key=self.key("fusion"),
            on_change=self.touch,
            help=meaning("Fusion"),
        )

    def bm25_weight(self) -> None:
        """BM25's share of a weighted sum."""
        self._share("BM25's weight", "bm25_weight", disabled=self._value("fusion") != "weighted")

    def bm25_settings(self) -> None:
        """BM25's k1 and b, empty for the index's own, and a button that empties them; a note where they are fixed."""
        own = resources.own_bm25(self.index)
        if own is None:
            if any(self._value(field) is not None for field in BM25_FIELDS):
                note(f"{self._label('BM25’s k1 and b')} can’t be changed for index {self.index}; its own are used.")
                self._clear_bm25()
            return
        disabled = self._value("fusion") == "dense"
        with st.expander(self._label("BM25’s k1 and b"), key=self.key("bm25_settings")):
            self._bm25_number("k1", own.k1, HIGHEST_K1, disabled)
            self._bm25_number("b", own.b, 1.0, disabled)
            st.button(
                "Use the index's own",
                key=self.key("own_bm25"),
                on_click=self._reset_bm25,
                disabled=disabled or all(self._value(field) is None for field in BM25_FIELDS),
            )

    def depth(self) -> None:
        """The first stage's depth."""
        st.number_input(
            self._label("Depth"),
            min_value=1,
            max_value=DEEPEST,
            step=10,
            key=self.key("depth"),
            on_change=self._limit_rerank_depth,
            help=meaning("Depth"),
        )

    def reranker(self, options: Iterable[str], *, default: str) -> None:
        """Which re-ranker; a field that was cleared returns to `default`."""
        st.selectbox(
            self._label("Re-ranker"),
            list(dict.fromkeys([*options, self._value("reranker")])),
            key=self.key("reranker"),
            on_change=self._fill_reranker,
            args=(default,),
            accept_new_options=not read_only(),
            help=meaning("Re-ranker")
            if read_only()
            else f"{meaning('Re-ranker')} Choose one, or type a folder or a hub name such as "
            f"cross-encoder/ms-marco-MiniLM-L6-v2. “late” is late interaction. {meaning('Late interaction')}",
        )

    def rerank_depth(self) -> None:
        """How many passages of the fused list are re-ranked."""
        st.number_input(
            self._label("Re-ranking depth"),
            min_value=0,
            max_value=min(MOST_RERANKED, self._value("depth")),
            step=10,
            key=self.key("rerank_depth"),
            on_change=self.touch,
            disabled=self._without_reranker,
            help=meaning("Re-ranking depth"),
        )

    def rerank_weight(self) -> None:
        """The re-ranker's share of the final score."""
        self._share("Re-ranker's share", "rerank_weight", disabled=self._without_reranker)

    def rerank_mix(self) -> None:
        """What the re-ranker's score is mixed with."""
        st.selectbox(
            self._label("Mixed with"),
            list(MIX_NAMES),
            format_func=MIX_NAMES.__getitem__,
            key=self.key("rerank_mix"),
            on_change=self.touch,
            disabled=self._without_reranker or self._value("rerank_weight") == 1,
            help=meaning("Mixed with"),
        )

    def _share(self, name: str, field: str, *, disabled: bool) -> None:
        st.slider(
            self._label(name),
            min_value=0.0,
            max_value=1.0,
            step=0.05,
            key=self.key(field),
            on_change=self.touch,
            disabled=disabled,
            help=meaning(name),
        )

    def _bm25_number(self, field: str, own: float, highest: float, disabled: bool) -> None:
        st.number_input(
            self._label(field),
            min_value=0.0,
            max_value=highest,
            value=None,
            step=0.05,
            format="%g",
            key=self.key(field),
            on_change=self.touch,
            disabled=disabled,
            placeholder=f"{own:g}, the index's own",
            help=f"{meaning(field)} Leave it empty for the index's own.",
        )

    def _set(self, field: str, value: object) -> None:
        self.touch()
        st.session_state[self.key(field)] = value

    def _clear_bm25(self) -> None:
        st.session_state.update({self.key(field): None for field in BM25_FIELDS})

    def _reset_bm25(self) -> None:
        self.touch()
        self._clear_bm25()

    def _limit_rerank_depth(self) -> None:
        """No more passages can be re-ranked than the first stage keeps."""
        self._set("rerank_depth", min(self._value("rerank_depth"), self._value("depth")))

    def _fill_reranker(self, default: str) -> None:
        name = (self._value("reranker") or "").strip() or default
        rerankers.accept(name)
        self._set("reranker", rerankers.usable(name))
        self.follow()
