"""The choices of a page's pickers in its link, so that it can be shared: a new link fills them, and they update it."""

from collections.abc import Mapping

import streamlit as st

from app.views.widgets.notices import note
from app.views.widgets.pickers import MOST_DEPTH, PICKED_KEY

PickerKeys = Mapping[str, str]
"""The key of the picker that each parameter of a link fills."""


def restore(page: str, pickers: PickerKeys) -> dict[str, str]:
    """Fill the pickers that are drawn next from a new link, and return its values. It starts no work."""
    parameters = st.query_params.to_dict()
    if parameters == st.session_state.get(_written(page)):
        return {}
    requested = {name: parameters[name] for name in pickers if name in parameters}
    for name, text in requested.items():
        key = pickers[name]
        if key.endswith("depth"):
            if text.isdecimal() and len(text) <= len(str(MOST_DEPTH)) and 1 <= int(text) <= MOST_DEPTH:
                st.session_state[key] = int(text)
        else:
            st.session_state[key] = text
    return requested


def remember(page: str, pickers: PickerKeys, requested: Mapping[str, str]) -> None:
    """Write the picked values into the link, and note which of its values couldn't be used."""
    picked = st.session_state.get(PICKED_KEY, {})
    link = {name: str(picked[key]) for name, key in pickers.items() if key in picked}
    for name, text in requested.items():
        if name in link and link[name] != text:
            note(f"The link's {name} “{text[:40]}” isn't available here; {link[name]} is used.")
    st.session_state[_written(page)] = link
    if st.query_params.to_dict() != link:
        st.query_params.from_dict(link)


def _written(page: str) -> str:
    return f"{page}_link_written"
