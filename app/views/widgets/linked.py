"""A page's choices: kept in the session, and in the page's link so that they can be shared."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

import streamlit as st

T = TypeVar("T")


class LinkRule(NamedTuple):
    """What a parameter of a link must be."""

    description: str
    """Completes the sentence "... isn't"."""
    parse: Callable[[str], Any]
    """Raises ValueError or KeyError for anything else."""


def one_of(options: Collection[str], description: str = "") -> LinkRule:
    """One of these texts."""
    return LinkRule(description or f"one of {', '.join(options)}", {text: text for text in options}.__getitem__)


def within(kind: type[int] | type[float], low: float, high: float) -> LinkRule:
    """A number of this kind, both ends included."""

    def parse(text: str) -> float:
        value = kind(text)
        if not low <= value <= high:  # also false for nan
            raise ValueError(text)
        return value

    return LinkRule(f"a {'whole ' if kind is int else ''}number from {low:,g} to {high:,g}", parse)


def read(
    parameters: Mapping[str, str],
    fields: Mapping[str, str],
    rules: Mapping[str, LinkRule],
    start: Mapping[str, object],
) -> tuple[dict[str, Any], list[str]]:
    """The valid values of a link by field, and a sentence for each invalid one that names the value used instead.

    Args:
        parameters: the link's parameters.
        fields: the field of each parameter.
        rules: what each parameter must be.
        start: the values, by field, that are used where the link has none.
    """
    values: dict[str, Any] = {}
    notes = []
    for name in [name for name in fields if name in parameters]:
        field = fields[name]
        try:
            values[field] = rules[name].parse(parameters[name])
        except (ValueError, KeyError):
            used = link_text(start[field])
            notes.append(
                f"The link's {name} “{parameters[name][:40]}” isn't {rules[name].description}; {used} is used."
            )
    return values, notes


def differing(values: Mapping[str, object], usual: Mapping[str, object], fields: Mapping[str, str]) -> dict[str, str]:
    """The parameters of a link that holds only the values that differ from the usual ones."""
    return {name: link_text(values[field]) for name, field in fields.items() if values[field] != usual[field]}


def link_text(value: object) -> str:
    """A value as a link spells it; None, which no link holds, in words."""
    if value is None:
        return "the index's own"
    if isinstance(value, bool):
        return str(int(value))
    return f"{value:g}" if isinstance(value, float) else str(value)


@dataclass(frozen=True)
class PageLink(Generic[T]):
    """The link and the session's values of one page, whose choices are of type T."""

    page: str
    """Begins all of the page's keys in the session."""

    def key(self, field: str) -> str:
        """The session's key of one field, which is also its widget's."""
        return f"{self.page}_{field}"

    def touch(self) -> None:
        """Called by every widget that changed: what the user just did outranks the link."""
        st.session_state[self.key("touched")] = True

    def choose(self, **fields: object) -> None:
        """Called by buttons: set some fields as if the user had changed them."""
        self.touch()
        for field, value in fields.items():
            st.session_state[self.key(field)] = value

    def new_parameters(self) -> dict[str, str] | None:
        """The link's parameters where the session must be filled from them, else None."""
        parameters: dict[str, str] = st.query_params.to_dict()
        touched = st.session_state.pop(self.key("touched"), False)
        written = st.session_state.get(self.key("link_written"))
        if self.key("query") in st.session_state and (touched or parameters == written):
            return None
        return parameters

    def last_choice(self) -> T | None:
        """The choices at the time the page was left."""
        choice: T | None = st.session_state.get(self.key("last_choice"))
        return choice

    def remember(self, choice: T, link: Mapping[str, str]) -> None:
        """Keep the choice for a return to this page, and write it into the link."""
        st.session_state[self.key("last_choice")] = choice
        st.session_state[self.key("link_written")] = dict(link)
        if st.query_params.to_dict() != link:
            st.query_params.from_dict(link)
