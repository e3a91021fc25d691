"""What a rater has chosen on the Teach page: kept in the session, and in the link so that a task can be passed on."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

import streamlit as st

from app import environment
from app.views.widgets.linked import LinkRule, PageLink, differing, one_of, read, within
from app.views.widgets.search_choice import MOST_SHOWN

VIEWS = {"one": "One by one", "list": "As a list"}
PARAMETERS = {"rater": "rater", "q": "query", "index": "index", "blind": "blind", "view": "view", "shown": "shown"}
"""What a link calls each field."""


@dataclass(frozen=True, kw_only=True)
class TeachChoice:
    """Who grades which query, and how its passages are shown."""

    rater: str
    """As typed; the page reports an invalid name."""
    query: str
    index: str
    blind: bool = True
    """Whether ranks and scores are hidden, so that they can't bias the rater."""
    view: str = "one"
    shown: int = 10
    """Passages to grade of each query."""


_page: PageLink[TeachChoice] = PageLink("teach")
key, touch, choose = _page.key, _page.touch, _page.choose


def defaults() -> TeachChoice:
    """No rater and no query, with the default settings."""
    return TeachChoice(rater="", query="", index=environment.default_index())


def restore(indexes: list[str]) -> list[str]:
    """Fill the session from a new link; give back a sentence for each value that couldn't be used."""
    parameters = _page.new_parameters()
    if parameters is None:
        return []
    start = _page.last_choice() or defaults()
    if PARAMETERS.keys() & parameters.keys():
        start = replace(defaults(), rater=start.rater)  # a link without a name doesn't change the rater
    choice, notes = read_link(parameters, start, indexes)
    for field, value in asdict(choice).items():
        st.session_state[key(field)] = value
    return notes


def current() -> TeachChoice:
    """What the widgets hold now."""
    return TeachChoice(**{field: st.session_state[key(field)] for field in PARAMETERS.values()})


def remember(choice: TeachChoice) -> None:
    """Keep the choice for a return to this page, and in the link, which holds only what differs from the defaults."""
    _page.remember(choice, differing(asdict(choice), asdict(defaults()), PARAMETERS))


def read_link(parameters: Mapping[str, str], start: TeachChoice, indexes: list[str]) -> tuple[TeachChoice, list[str]]:
    """The choice that a link holds, and a sentence for each invalid value; missing ones are taken from `start`."""
    values, notes = read(parameters, PARAMETERS, _rules(indexes), asdict(start))
    return replace(start, **values), notes


def _rules(indexes: list[str]) -> Mapping[str, LinkRule]:
    """What each parameter of a link must be."""
    return {
        "rater": LinkRule("a name", str),
        "q": LinkRule("a query", str),
        "index": one_of(indexes, "an existing index"),
        "blind": LinkRule("0 or 1", {"0": False, "1": True}.__getitem__),
        "view": one_of(VIEWS),
        "shown": within(int, 1, MOST_SHOWN),
    }
