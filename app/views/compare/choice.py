"""What is compared: one query and two pipelines, kept in the session, and in the link so that it can be shared."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import streamlit as st

from app.views.widgets import pipeline_choice as search_choice
from app.views.widgets.linked import Linked, differing
from app.views.widgets.pipeline_choice import PARAMETERS, Choice
from search.load import NO_RERANKER

SIDES = ("a", "b")
SHARED = {name: field for name, field in PARAMETERS.items() if field in ("query", "index", "shown")}
OWN = {name: field for name, field in PARAMETERS.items() if name not in SHARED}


@dataclass(frozen=True)
class Comparison:
    """Two choices with the same query, index and places shown."""

    a: Choice
    b: Choice

    def __iter__(self) -> Iterator[Choice]:
        yield self.a
        yield self.b


_linked: Linked[Comparison] = Linked("compare")
touch = _linked.touch


def key(field: str, side: str = "") -> str:
    """The session's key of one field, which is also its widget's; `side` for a pipeline's own."""
    return _linked.key(f"{side}_{field}" if side else field)


def choose(field: str, value: object, side: str = "") -> None:
    """Called by buttons: set a field as if the user had."""
    touch()
    st.session_state[key(field, side)] = value


def defaults() -> Comparison:
    """BM25 alone against the pipeline that is served, without a query."""
    served = search_choice.defaults()
    return Comparison(replace(served, fusion="bm25", reranker=NO_RERANKER), served)


def restore(indexes: list[str]) -> list[str]:
    """Fill the session from the link where the link is news; give back what couldn't be used, as sentences."""
    parameters = _linked.news()
    if parameters is None:
        return []
    start = _linked.last() or defaults()
    if _names() & parameters.keys():
        start = defaults()
    comparison, notes = read_link(parameters, start, indexes)
    for side, choice in zip(SIDES, comparison, strict=True):
        for field in OWN.values():
            st.session_state[key(field, side)] = getattr(choice, field)
    for field in SHARED.values():
        st.session_state[key(field)] = getattr(comparison.a, field)
    return notes


def current() -> Comparison:
    """What the widgets hold now."""
    shared = {field: st.session_state[key(field)] for field in SHARED.values()}
    own = [{field: st.session_state[key(field, side)] for field in OWN.values()} for side in SIDES]
    return Comparison(*(search_choice.without_own_bm25(Choice(**shared, **fields)) for fields in own))


def remember(comparison: Comparison) -> None:
    """Keep it for a return to this page, and in the link: only what differs from the defaults."""
    usual = defaults()
    link = differing(comparison.a, usual.a, SHARED)
    for side, choice, its in zip(SIDES, comparison, usual, strict=True):
        link |= {f"{side}.{name}": value for name, value in differing(choice, its, OWN).items()}
    _linked.keep(comparison, link)


def read_link(parameters: Mapping[str, str], start: Comparison, indexes: list[str]) -> tuple[Comparison, list[str]]:
    """The comparison that a link holds; what it doesn't hold, or holds wrongly, is as in `start`."""
    given = {name: value for name, value in parameters.items() if name in SHARED}
    common, notes = search_choice.read_link(given, start.a, indexes)
    shared = {field: getattr(common, field) for field in SHARED.values()}
    sides = []
    for side, usual in zip(SIDES, start, strict=True):
        own = {name: parameters[f"{side}.{name}"] for name in OWN if f"{side}.{name}" in parameters}
        choice, told = search_choice.read_link(own, usual, indexes)
        notes += [sentence.replace("The link's ", f"The link's {side}.", 1) for sentence in told]
        sides.append(replace(choice, **shared))
    return Comparison(*sides), notes


def _names() -> set[str]:
    """Everything that a link may hold."""
    return {*SHARED, *(f"{side}.{name}" for side in SIDES for name in OWN)}
