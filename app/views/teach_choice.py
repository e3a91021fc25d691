"""What a rater has chosen on the Teach page: kept in the session, and in the link so that a task can be handed on."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import streamlit as st

from app import resources
from app.views.choice import MOST_SHOWN

VIEWS = {"one": "One by one", "list": "As a list"}
PARAMETERS = {"rater": "rater", "q": "query", "index": "index", "blind": "blind", "view": "view", "shown": "shown"}
"""What a link calls each field."""
_WRITTEN, _TOUCHED, _LAST = "teach_link_written", "teach_touched", "teach_last_choice"


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


def key(field: str) -> str:
    """The session's key of one field, which is also its widget's."""
    return f"teach_{field}"


def touch() -> None:
    """Called by every widget that changed: what the rater did counts, not the link of a moment ago."""
    st.session_state[_TOUCHED] = True


def choose(**fields: object) -> None:
    """Called by buttons: set some fields as if the rater had."""
    touch()
    for field, value in fields.items():
        st.session_state[key(field)] = value


def defaults() -> TeachChoice:
    """Nobody and no query, with the settings that hold unless others are chosen."""
    return TeachChoice("", "", resources.default_index())


def restore(indexes: list[str]) -> list[str]:
    """Fill the session from the link where the link is news; give back what couldn't be used, as sentences."""
    parameters = st.query_params.to_dict()
    touched = st.session_state.pop(_TOUCHED, False)
    if key("query") in st.session_state and (touched or parameters == st.session_state.get(_WRITTEN)):
        return []
    start: TeachChoice = st.session_state.get(_LAST) or defaults()
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
    st.session_state[_LAST] = choice
    st.session_state[_WRITTEN] = link
    if st.query_params.to_dict() != link:
        st.query_params.from_dict(link)


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
