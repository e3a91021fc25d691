"""What this page keeps for a return to it: files as they were read, and the values of fields.

Streamlit drops uploads, and the values of widgets, when another page is drawn.
"""

from collections.abc import Callable, Hashable
from typing import Any, Generic, NamedTuple, Protocol, Self, TypeVar

import streamlit as st

from app.views.widgets.notices import note
from indexing.errors import SecondLookError, SettingsError
from indexing.index import Index
from indexing.records import PassageId


class OfPassages(Protocol):
    """Judgments that can be cut to the passages of an index."""

    def within(self, index: str, *, holds: Callable[[PassageId], bool]) -> Self:
        """Those of the passages that the index of this name holds."""


T = TypeVar("T")
G = TypeVar("G")
J = TypeVar("J", bound=OfPassages)
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


def read_within(
    slots: tuple[str, str], given: G | None, read: Callable[[G], J], index: Index, *, key: Callable[[G], Hashable]
) -> J | None:
    """What given files say of an index's passages, each step done once; without files, what the last said, if any.

    The first slot holds what was read, the second what of it the index holds; `key` changes with the files.

    Raises:
        SettingsError: it can't be used.
    """
    found: Reading[J] | None
    found = last_read(slots[0]) if given is None else read_once(slots[0], key(given), lambda: read(given))
    if found is None:
        return None
    name, judgments = index.manifest.name, found.value
    fit_key = (found.key, name, index.manifest.build)
    return read_once(slots[1], fit_key, lambda: judgments.within(name, holds=index.passages.__contains__)).value


def show_earlier(names: str, slots: tuple[str, str], *, key: str) -> None:
    """Which files these are, where the field is empty as the page was left meanwhile, and a button to forget them."""
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        note(f"Read earlier: {names}.")
        st.button("Forget it", key=key, on_click=forget, args=slots, width="content")


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
