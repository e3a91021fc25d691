"""What is searched on the Search page: kept in the session, and in the link so that it can be shared."""

import streamlit as st

from app.views.widgets.linked import PageLink
from app.views.widgets.search_choice import (
    PARAMETERS,
    SearchChoice,
    choice_of,
    default_choice,
    followed,
    link_of,
    read_link,
    without_own_bm25,
)

_page: PageLink[SearchChoice] = PageLink("search")
key, touch, choose = _page.key, _page.touch, _page.choose


def restore(indexes: list[str]) -> list[str]:
    """Fill the session from a new link; give back a sentence for each value that couldn't be used."""
    parameters = _page.new_parameters()
    if parameters is None:
        return []
    start = _page.last_choice() or default_choice()
    if PARAMETERS.keys() & parameters.keys():
        start = default_choice()
    choice, notes = read_link(parameters, start, indexes)
    st.session_state.update({key(field): choice.values()[field] for field in PARAMETERS.values()})
    return notes


def current() -> SearchChoice:
    """What the widgets hold now. Raises SettingsError."""
    return without_own_bm25(choice_of({field: st.session_state[key(field)] for field in PARAMETERS.values()}))


def remember(choice: SearchChoice) -> None:
    """Keep the choice for a return to this page, and in the link, which holds only what differs from the defaults."""
    _page.remember(choice, link_of(choice))


def follow() -> None:
    """Called when another index or re-ranker was picked: the fields that the user left alone follow its default."""
    touch()
    before = _page.last_choice()
    if before is not None:
        values = {field: st.session_state[key(field)] for field in PARAMETERS.values()}
        st.session_state.update({key(field): value for field, value in followed(values, before).items()})
