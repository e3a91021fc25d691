"""The query and the settings of a search, and how the search page's link spells them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

import streamlit as st

from app import resources
from app.views.widgets.linked import Linked, Rule, differing, one_of, read, within
from search.settings import FUSIONS, MIXES, Fusion, PipelineSettings, RerankMix

DEEPEST = 10_000  # passages; PipelineSettings takes no more
MOST_RERANKED = 1_000
HIGHEST_K1 = 3.0
MOST_SHOWN = 50


@dataclass(frozen=True)
class Choice:
    """Query and settings of one search."""

    query: str
    index: str
    reranker: str
    fusion: Fusion = PipelineSettings.fusion
    bm25_weight: float = PipelineSettings.bm25_weight
    k1: float | None = PipelineSettings.k1
    b: float | None = PipelineSettings.b
    depth: int = PipelineSettings.depth
    rerank_depth: int = PipelineSettings.rerank_depth
    rerank_weight: float = PipelineSettings.rerank_weight
    rerank_mix: RerankMix = PipelineSettings.rerank_mix
    shown: int = 10
    """Places shown of each list."""

    def settings(self) -> PipelineSettings:
        """The part that the pipeline takes. Raises SettingsError."""
        return PipelineSettings(
            depth=self.depth,
            rerank_depth=min(self.rerank_depth, self.depth),
            fusion=self.fusion,
            bm25_weight=self.bm25_weight,
            k1=self.k1,
            b=self.b,
            rerank_weight=self.rerank_weight,
            rerank_mix=self.rerank_mix,
        )


# What a link calls each field.
PARAMETERS = {
    "q": "query",
    "index": "index",
    "fusion": "fusion",
    "bm25": "bm25_weight",
    "k1": "k1",
    "b": "b",
    "depth": "depth",
    "rerank": "rerank_depth",
    "reranker": "reranker",
    "weight": "rerank_weight",
    "mix": "rerank_mix",
    "shown": "shown",
}


_linked: Linked["Choice"] = Linked("search")
key, touch, choose = _linked.key, _linked.touch, _linked.choose


def defaults() -> Choice:
    """An empty query with the settings that hold unless others are chosen."""
    return Choice("", resources.default_index(), resources.default_reranker())


def restore(indexes: list[str]) -> list[str]:
    """Fill the session from the link where the link is news; give back what couldn't be used, as sentences."""
    parameters = _linked.news()
    if parameters is None:
        return []
    start = _linked.last() or defaults()
    if PARAMETERS.keys() & parameters.keys():
        start = defaults()
    choice, notes = read_link(parameters, start, indexes)
    for field, value in asdict(choice).items():
        st.session_state[key(field)] = value
    return notes


def current() -> Choice:
    """What the widgets hold now."""
    return without_own_bm25(Choice(**{field: st.session_state[key(field)] for field in PARAMETERS.values()}))


def without_own_bm25(choice: Choice) -> Choice:
    """None where k1 or b is the index's own, or where the index can't have another."""
    own = resources.own_bm25(choice.index)
    if own is None:
        return replace(choice, k1=None, b=None)
    return replace(choice, k1=None if choice.k1 == own.k1 else choice.k1, b=None if choice.b == own.b else choice.b)


def remember(choice: Choice) -> None:
    """Keep it for a return to this page, and in the link: only what differs from the defaults."""
    _linked.keep(choice, differing(choice, defaults(), PARAMETERS))


def read_link(parameters: Mapping[str, str], start: Choice, indexes: list[str]) -> tuple[Choice, list[str]]:
    """The choice that a link holds; what it doesn't hold, or holds wrongly, is as in `start`."""
    values, notes = read(parameters, PARAMETERS, _rules(indexes), start)
    choice = replace(start, **values)
    return replace(choice, rerank_depth=min(choice.rerank_depth, choice.depth)), notes


def _rules(indexes: list[str]) -> Mapping[str, Rule]:
    """What each parameter of a link must be."""
    share = within(float, 0, 1)
    return {
        "q": Rule("a query", str),
        "index": one_of(indexes, "an index here"),
        "fusion": one_of(FUSIONS),
        "bm25": share,
        "k1": within(float, 0, HIGHEST_K1),
        "b": share,
        "depth": within(int, 1, DEEPEST),
        "rerank": within(int, 0, MOST_RERANKED),
        "reranker": Rule("a re-ranker's name", _name),
        "weight": share,
        "mix": one_of(MIXES),
        "shown": within(int, 1, MOST_SHOWN),
    }


def _name(text: str) -> str:
    if not text.strip():
        raise ValueError(text)
    return text.strip()
