"""Which dialog of the page is open: it stays open while the page is drawn anew, until it is closed."""

import streamlit as st

OPEN_KEY = "indexes_dialog"  # session: the kind of the open dialog and the index that it is about


def open_dialog(kind: str, index: str) -> None:
    """Have a dialog open from now on."""
    st.session_state[OPEN_KEY] = (kind, index)


def close_dialog() -> None:
    """Have none open."""
    st.session_state.pop(OPEN_KEY, None)


def open_one() -> tuple[str, str]:
    """The kind of the open dialog and the index that it is about; two empty strings if none is open."""
    kind, index = st.session_state.get(OPEN_KEY, ("", ""))
    return kind, index
