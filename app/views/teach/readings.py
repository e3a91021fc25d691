"""What this page keeps for a return to it: files as they were read, and the values of fields.

Streamlit drops uploads, and the values of widgets, when another page is drawn.
"""

from collections.abc import Callable, Hashable
from typing import Any, Generic, NamedTuple, TypeVar

import streamlit as st

from indexing.errors import SecondLookError, SettingsError

T = TypeVar("T")
_FIELDS_KEY = "teach_fields"  # session: the last values of fields, by the keys of their widgets


class Reading(NamedTuple, Generic[T]):
    """What was read."""

    key: Hashable
    """Changes with the files."""
    value: T


def read_once(slot: str, key: Hashable, read: Callable[[], T]) -> Reading[T]:
    """What `read` gives for this key; of each slot the last is kept in the session.

    Raises:
        SettingsError: it can't be read, in the words of the first try.
    """
    last: Reading[Any] | None = st.session_state.get(slot)
    if last is None or last.key != key:
        try:
            last = Reading(key, read())
        except (SecondLookError, OSError) as error:
            last = Reading(key, error)
        st.session_state[slot] = last
    if isinstance(last.value, Exception):
        raise SettingsError(str(last.value))
    return last


def last_read(slot: str) -> Reading[Any] | None:
    """What was read last and could be; None for nothing."""
    last: Reading[Any] | None = st.session_state.get(slot)
    return None if last is None or isinstance(last.value, Exception) else last


def forget(*slots: str) -> None:
    """Forget what was read."""
    for slot in slots:
        st.session_state.pop(slot, None)


def begin_field(key: str, default: object) -> None:
    """Give the widget of this key, before it is drawn, its last value, or the default."""
    st.session_state.setdefault(key, st.session_state.setdefault(_FIELDS_KEY, {}).get(key, default))


def keep_field(key: str) -> None:
    """Keep the value of the widget that was just drawn."""
    st.session_state.setdefault(_FIELDS_KEY, {})[key] = st.session_state[key]
