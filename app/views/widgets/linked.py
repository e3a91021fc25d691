"""What a user has chosen on a page: kept in the session, and in the link so that it can be shared."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

import streamlit as st

T = TypeVar("T")


class Rule(NamedTuple):
    """What a parameter of a link must be."""

    wanted: str
    """In words."""
    parse: Callable[[str], Any]
    """Raises ValueError or KeyError for what it isn't."""


def one_of(known: Collection[str], wanted: str = "") -> Rule:
    """One of these texts."""
    return Rule(wanted or f"one of {', '.join(known)}", {text: text for text in known}.__getitem__)


def within(kind: type[int] | type[float], low: float, high: float) -> Rule:
    """A number of this kind, both ends included."""

    def parse(text: str) -> float:
        value = kind(text)
        if not low <= value <= high:  # false for nan too
            raise ValueError(text)
        return value

    return Rule(f"a {'whole ' if kind is int else ''}number from {low:,g} to {high:,g}", parse)


def read(
    parameters: Mapping[str, str], fields: Mapping[str, str], rules: Mapping[str, Rule], start: object
) -> tuple[dict[str, Any], list[str]]:
    """What a link holds, by field; and what it holds wrongly, as sentences that name what of `start` is used instead.

    `fields` has the field of each parameter, `rules` what it must be.
    """
    values: dict[str, Any] = {}
    notes = []
    for name in [name for name in fields if name in parameters]:
        field = fields[name]
        try:
            values[field] = rules[name].parse(parameters[name])
        except (ValueError, KeyError):
            wanted, used = rules[name].wanted, spelled(getattr(start, field))
            notes.append(f"The link's {name} “{parameters[name][:40]}” isn't {wanted}; {used} is used.")
    return values, notes


def differing(choice: object, usual: object, fields: Mapping[str, str]) -> dict[str, str]:
    """The parameters of a link that holds what of a choice isn't as usual."""
    return {
        name: spelled(getattr(choice, field))
        for name, field in fields.items()
        if getattr(choice, field) != getattr(usual, field)
    }


def spelled(value: object) -> str:
    """A field's value as a link has it; None, which no link holds, in words."""
    if value is None:
        return "the index's own"
    if isinstance(value, bool):
        return str(int(value))
    return f"{value:g}" if isinstance(value, float) else str(value)


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
