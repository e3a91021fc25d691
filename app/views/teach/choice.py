"""What a rater has chosen on the Teach page: kept in the session, and in the link so that a task can be handed on."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

import streamlit as st

from app import resources
from app.views.widgets.linked import Linked, Rule, differing, one_of, read, within
from app.views.widgets.pipeline_choice import MOST_SHOWN

VIEWS = {"one": "One by one", "list": "As a list"}
PARAMETERS = {"rater": "rater", "q": "query", "index": "index", "blind": "blind", "view": "view", "shown": "shown"}
"""What a link calls each field."""


@dataclass(frozen=True)
class TeachChoice:
    """Who grades what, and how it is shown."""

    rater: str
    """As typed; what is no name is told on the page."""
    query: str
    index: str
    blind: bool = True
    """Whether order and scores are hidden, so that they can't sway the rater."""
    view: str = "one"
    shown: int = 10
    """Passages to grade of each query."""


_linked: Linked[TeachChoice] = Linked("teach")
key, touch, choose = _linked.key, _linked.touch, _linked.choose


def defaults() -> TeachChoice:
    """Nobody and no query, with the settings that hold unless others are chosen."""
    return TeachChoice("", "", resources.default_index())


def restore(indexes: list[str]) -> list[str]:
    """Fill the session from the link where the link is news; give back what couldn't be used, as sentences."""
    parameters = _linked.news()
    if parameters is None:
        return []
    start = _linked.last() or defaults()
    if PARAMETERS.keys() & parameters.keys():
        start = replace(defaults(), rater=start.rater)  # a link without a name leaves the rater who they are
    choice, notes = read_link(parameters, start, indexes)
    for field, value in asdict(choice).items():
        st.session_state[key(field)] = value
    return notes


def current() -> TeachChoice:
    """What the widgets hold now."""
    return TeachChoice(**{field: st.session_state[key(field)] for field in PARAMETERS.values()})


def remember(choice: TeachChoice) -> None:
    """Keep it for a return to this page, and in the link: only what differs from the defaults."""
    _linked.keep(choice, differing(choice, defaults(), PARAMETERS))


def read_link(parameters: Mapping[str, str], start: TeachChoice, indexes: list[str]) -> tuple[TeachChoice, list[str]]:
    """The choice that a link holds; what it doesn't hold, or holds wrongly, is as in `start`."""
    values, notes = read(parameters, PARAMETERS, _rules(indexes), start)
    return replace(start, **values), notes


def _rules(indexes: list[str]) -> Mapping[str, Rule]:
    """What each parameter of a link must be."""
    return {
        "rater": Rule("a name", str),
        "q": Rule("a query", str),
        "index": one_of(indexes, "an index here"),
        "blind": Rule("0 or 1", {"0": False, "1": True}.__getitem__),
        "view": one_of(VIEWS),
        "shown": within(int, 1, MOST_SHOWN),
    }
