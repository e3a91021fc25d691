"""What a rater has chosen on the Teach page: kept in the session, and in the link so that a task can be handed on."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import streamlit as st

from app import resources
from app.views.choice import MOST_SHOWN
from app.views.linked import Linked

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
    usual = asdict(defaults())
    values = asdict(choice)
    link = {name: _text(values[field]) for name, field in PARAMETERS.items() if values[field] != usual[field]}
    _linked.keep(choice, link)


def read_link(parameters: Mapping[str, str], start: TeachChoice, indexes: list[str]) -> tuple[TeachChoice, list[str]]:
    """The choice that a link holds; what it doesn't hold, or holds wrongly, is as in `start`."""
    values: dict[str, Any] = {}
    notes = []
    for name, (wanted, parse) in _parsers(indexes).items():
        if name not in parameters:
            continue
        try:
            values[PARAMETERS[name]] = parse(parameters[name])
        except KeyError:
            used = _text(getattr(start, PARAMETERS[name]))
            notes.append(f"The link's {name} “{parameters[name][:40]}” isn't {wanted}; {used} is used.")
    return replace(start, **values), notes


def _parsers(indexes: list[str]) -> Mapping[str, tuple[str, Callable[[str], Any]]]:
    """For each parameter what it must be, in words, and how it is read; what it isn't raises KeyError."""
    shown = {str(number): number for number in range(1, MOST_SHOWN + 1)}
    return {
        "rater": ("a name", str),
        "q": ("a query", str),
        "index": ("an index here", {name: name for name in indexes}.__getitem__),
        "blind": ("0 or 1", {"0": False, "1": True}.__getitem__),
        "view": (f"one of {', '.join(VIEWS)}", {name: name for name in VIEWS}.__getitem__),
        "shown": (f"a whole number from 1 to {MOST_SHOWN}", shown.__getitem__),
    }


def _text(value: object) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)
