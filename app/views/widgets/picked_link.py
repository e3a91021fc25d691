"""The choices of a page's pickers in its link, so that it can be shared: read when it is news, written as they are."""

from collections.abc import Mapping

import streamlit as st

from app.views.widgets.notices import note
from app.views.widgets.pickers import KEPT, MOST_DEPTH

Names = Mapping[str, str]
"""By a link's parameter, the key of the picker that it fills."""


def restore(page: str, names: Names) -> dict[str, str]:
    """Hand the link's values to the pickers that are drawn next; gives back those values. Nothing is begun by it."""
    parameters = st.query_params.to_dict()
    if parameters == st.session_state.get(_written(page)):
        return {}
    wanted = {name: parameters[name] for name in names if name in parameters}
    for name, text in wanted.items():
        key = names[name]
        if key.endswith("depth"):
            if text.isdecimal() and len(text) <= len(str(MOST_DEPTH)) and 1 <= int(text) <= MOST_DEPTH:
                st.session_state[key] = int(text)
        else:
            st.session_state[key] = text
    return wanted


def remember(page: str, names: Names, wanted: Mapping[str, str]) -> None:
    """Put what was picked into the link, and say which of the values that it brought couldn't be used."""
    kept = st.session_state.get(KEPT, {})
    link = {name: str(kept[key]) for name, key in names.items() if key in kept}
    for name, text in wanted.items():
        if name in link and link[name] != text:
            note(f"The link's {name} “{text[:40]}” can't be chosen here; {link[name]} is used.")
    st.session_state[_written(page)] = link
    if st.query_params.to_dict() != link:
        st.query_params.from_dict(link)


def _written(page: str) -> str:
    return f"{page}_link_written"
