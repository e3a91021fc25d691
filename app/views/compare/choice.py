"""What is compared: one query and two pipelines, kept in the session, and in the link so that it can be shared."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from app.views.widgets.linked import PageLink, differing
from app.views.widgets.search_choice import (
    PARAMETERS,
    SearchChoice,
    choice_of,
    default_choice,
    followed,
    without_own_bm25,
)
from app.views.widgets.search_choice import read_link as read_search_link
from search.served import NO_RERANKER

SIDES = ("a", "b")
SHARED = {name: field for name, field in PARAMETERS.items() if field in ("query", "index", "shown")}
OWN = {name: field for name, field in PARAMETERS.items() if name not in SHARED}


@dataclass(frozen=True)
class PipelinePair:
    """Two choices with the same query, index and number of passages shown."""

    a: SearchChoice
    b: SearchChoice

    def __iter__(self) -> Iterator[SearchChoice]:
        yield self.a
        yield self.b


_page: PageLink[PipelinePair] = PageLink("compare")
touch = _page.touch


def key(field: str, side: str = "") -> str:
    """The session's key of one field, which is also its widget's; `side` for a pipeline's own."""
    return _page.key(f"{side}_{field}" if side else field)


def choose_query(query: str) -> None:
    """Called by buttons: set the query as if the user had typed it."""
    _page.choose(query=query)


def defaults(index: str | None = None) -> PipelinePair:
    """BM25 alone against the pipeline that an index serves, without a query; None for the default index."""
    return PipelinePair(*(usual(index, None) for usual in USUAL.values()))


def _bm25(index: str | None, reranker: str | None) -> SearchChoice:
    """The default of side A: BM25 alone."""
    plain = default_choice(index, reranker or NO_RERANKER)
    return replace(plain, settings=replace(plain.settings, fusion="bm25"))


USUAL: dict[str, Callable[[str | None, str | None], SearchChoice]] = {"a": _bm25, "b": default_choice}
"""By side, the default of an index and a re-ranker."""


def restore(indexes: list[str]) -> list[str]:
    """Fill the session from a new link; give back a sentence for each value that couldn't be used."""
    parameters = _page.new_parameters()
    if parameters is None:
        return []
    start = _page.last_choice() or defaults()
    if _names() & parameters.keys():
        start = defaults()
    pair, notes = read_link(parameters, start, indexes)
    for side, choice in zip(SIDES, pair, strict=True):
        st.session_state.update({key(field, side): choice.values()[field] for field in OWN.values()})
    st.session_state.update({key(field): pair.a.values()[field] for field in SHARED.values()})
    return notes


def current() -> PipelinePair:
    """What the widgets hold now. Raises SettingsError."""
    shared = {field: st.session_state[key(field)] for field in SHARED.values()}
    own = [{field: st.session_state[key(field, side)] for field in OWN.values()} for side in SIDES]
    return PipelinePair(*(without_own_bm25(choice_of(shared | values)) for values in own))


def follow(*sides: str) -> None:
    """Called when another index, or another re-ranker of one side, was picked: what was left at a default follows."""
    touch()
    before = _page.last_choice()
    if before is None:
        return
    shared = {field: st.session_state[key(field)] for field in SHARED.values()}
    for side, choice in zip(SIDES, before, strict=True):
        if side in sides:
            values = shared | {field: st.session_state[key(field, side)] for field in OWN.values()}
            new = followed(values, choice, USUAL[side])
            st.session_state.update({key(field, side): value for field, value in new.items()})


def remember(pair: PipelinePair) -> None:
    """Keep the choice for a return to this page, and in the link, which holds only what differs from the defaults."""
    link = differing(pair.a.values(), defaults().a.values(), SHARED)
    for side, choice in zip(SIDES, pair, strict=True):
        default = USUAL[side](choice.index, choice.reranker).values()
        default |= {"reranker": USUAL[side](choice.index, None).reranker}
        own = differing(choice.values(), default, OWN)
        link |= {f"{side}.{name}": value for name, value in own.items()}
    _page.remember(pair, link)


def read_link(parameters: Mapping[str, str], start: PipelinePair, indexes: list[str]) -> tuple[PipelinePair, list[str]]:
    """The pair that a link holds, and a sentence for each invalid value; missing ones are taken from `start`."""
    shared_parameters = {name: value for name, value in parameters.items() if name in SHARED}
    common, notes = read_search_link(shared_parameters, start.a, indexes)
    shared: dict[str, Any] = {field: common.values()[field] for field in SHARED.values()}
    choices = []
    if common.index != start.a.index:
        start = defaults(common.index)
    for side, choice in zip(SIDES, start, strict=True):
        own = {name: parameters[f"{side}.{name}"] for name in OWN if f"{side}.{name}" in parameters}
        choice, side_notes = read_search_link(own, choice, indexes, usual=USUAL[side])
        notes += [sentence.replace("The link's ", f"The link's {side}.", 1) for sentence in side_notes]
        choices.append(replace(choice, **shared))
    return PipelinePair(*choices), notes


def _names() -> set[str]:
    """Every parameter that a link may hold."""
    return {*SHARED, *(f"{side}.{name}" for side in SIDES for name in OWN)}
