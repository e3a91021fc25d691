"""What a user has chosen on a page: kept in the session, and in the link so that it can be shared."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

import streamlit as st

T = TypeVar("T")


@dataclass(frozen=True)
class Linked(Generic[T]):
    """One page's choices, of type T."""

    page: str
    """Begins all of the page's keys in the session."""

    def key(self, field: str) -> str:
        """The session's key of one field, which is also its widget's."""
        return f"{self.page}_{field}"

    def touch(self) -> None:
        """Called by every widget that changed: what the user did counts, not the link of a moment ago."""
        st.session_state[self.key("touched")] = True

    def choose(self, **fields: object) -> None:
        """Called by buttons: set some fields as if the user had."""
        self.touch()
        for field, value in fields.items():
            st.session_state[self.key(field)] = value

    def news(self) -> dict[str, str] | None:
        """The link's parameters where the session is to be filled from them, else None."""
        parameters: dict[str, str] = st.query_params.to_dict()
        touched = st.session_state.pop(self.key("touched"), False)
        written = st.session_state.get(self.key("link_written"))
        if self.key("query") in st.session_state and (touched or parameters == written):
            return None
        return parameters

    def last(self) -> T | None:
        """What was chosen when the page was left."""
        found: T | None = st.session_state.get(self.key("last_choice"))
        return found

    def keep(self, choice: T, link: Mapping[str, str]) -> None:
        """Keep it for a return to this page, and in the link."""
        st.session_state[self.key("last_choice")] = choice
        st.session_state[self.key("link_written")] = dict(link)
        if st.query_params.to_dict() != link:
            st.query_params.from_dict(link)
