"""Finds the fields of a record that hold a passage's id, text and title: those the user names, or the usual ones."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

from indexing.errors import SettingsError
from indexing.whitespace import squeeze

ID_FIELDS = ("_id", "id", "pid", "passage_id", "docno", "docid", "doc_id", "document_id", "corpus_id", "corpus-id")
TEXT_FIELDS = ("text", "passage", "passage_text", "contents", "content", "body", "segment")
TITLE_FIELDS = ("title", "headings")
KINDS = {
    dict: "an object",
    list: "a list",
    bool: "true or false",
    type(None): "null",
    int: "a number",
    float: "a number",
    Decimal: "a number",
}
EXACT = 2**53
"""Above it a number in double precision has lost digits."""


@dataclass(frozen=True)
class Fields:
    """Names of a record's fields; None stands for the first usual name that the record has."""

    id: str | None = None
    text: str | None = None
    title: str | None = None
    """An empty string means that there is no title."""

    def __post_init__(self) -> None:
        if self.id == "" or self.text == "":
            raise SettingsError("The name of the id's field and of the text's can't be empty; name them, or neither.")


class RecordFields(NamedTuple):
    """The names of the fields of one record; `title` is None if it has none."""

    id: str
    text: str
    title: str | None


@lru_cache(maxsize=8)
def find_fields(fields: Fields, names: tuple[str, ...]) -> RecordFields | str:
    """Choose the fields among a record's `names`; if one is missing, return a description of the fault."""
    for name in (fields.id, fields.text, fields.title):
        if name and name not in names:
            return f"there is no field {name!r}, only {listed(names)}"
    named = {fields.id, fields.text, fields.title}
    chosen = [
        own if own is not None else next((name for name in usual if name in names and name not in named), None)
        for own, usual in ((fields.id, ID_FIELDS), (fields.text, TEXT_FIELDS), (fields.title, TITLE_FIELDS))
    ]
    if chosen[0] is None or chosen[1] is None:
        what, known = ("id", ID_FIELDS) if chosen[0] is None else ("text", TEXT_FIELDS)
        return f"fields {listed(names)} hold no {what} ({', '.join(known)})"
    return RecordFields(chosen[0], chosen[1], chosen[2] or None)


@lru_cache(maxsize=8)
def passed_over(fields: Fields, names: tuple[str, ...]) -> str:
    """A sentence on usual names of ids and texts among a record's that aren't taken; empty if there are none.

    The fields must be found, and names are compared as they stand.
    """
    chosen = find_fields(fields, names)
    sentences = []
    for what, own, taken, usual in (
        ("id", fields.id, chosen[0], ID_FIELDS),
        ("text", fields.text, chosen[1], TEXT_FIELDS),
    ):
        others = [name for name in usual if name in names and name not in chosen]
        if own is None and others:
            sentences.append(
                f"The {what} is taken from {taken!r}, and not from {' or '.join(map(repr, others))}; "
                f"for {'that' if len(others) == 1 else 'one of those'}: --{what}-field {others[0]}."
            )
    return " ".join(sentences)


def listed(names: Iterable[str]) -> str:
    """The first 8 names in alphabetical order, and the number of the others."""
    ordered = sorted(names)
    more = f" and {len(ordered) - 8} more" if len(ordered) > 8 else ""
    return ", ".join(repr(name[:40]) for name in ordered[:8]) + more


def as_strings(
    fields: RecordFields, key: object, text: object, title: object, *, exact: int = EXACT
) -> tuple[str, str, str] | str:
    """The values as strings, or a description of the one that isn't text; a title may be null.

    An id may be a whole number: `101.0`, as pandas writes it, is `101`. From `exact` on, floating-point numbers have
    lost digits and are refused.
    """
    if isinstance(key, int | float | Decimal) and not isinstance(key, bool):
        key = _digits(fields.id, key, exact)
        if key.startswith("field "):
            return key
    if title is None:
        title = ""
    if isinstance(key, str) and isinstance(text, str) and isinstance(title, str):
        return key, text, title
    name, value, expected = next(
        (name, value, expected)
        for name, value, expected in (
            (fields.id, key, "an id"),
            (fields.text, text, "text"),
            (fields.title, title, "text"),
        )
        if not isinstance(value, str)
    )
    kind = KINDS.get(type(value), type(value).__name__)
    return f"field {name!r} holds {kind} where {expected} is expected"


def text_value(value: object, name: str) -> str:
    """A value of a table of the hub as a text; empty where it is missing, which pandas writes as NaN.

    Raises ValueError for a list and whatever else is no text.
    """
    if value is None or value != value:  # true of NaN alone
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError(f"{name!r} is {KINDS.get(type(value), type(value).__name__)} where a text is expected")
    return squeeze(str(value))


def id_value(value: object) -> str:
    """Such a value as an id; a whole number that a tool wrote as 101.0 is 101. Raises ValueError if it is none."""
    if isinstance(value, float) and math.isfinite(value):
        value = _digits("id", value, EXACT)
        if value.startswith("field "):
            raise ValueError(value)
    if not (key := text_value(value, "id")):
        raise ValueError("an id is empty")
    return key


def list_value(values: Mapping[str, Any], name: str) -> list[Any]:
    """Such a value that is a list. Raises ValueError for any other."""
    if not isinstance(value := values[name], list):
        raise ValueError(f"{name!r} is {KINDS.get(type(value), 'text')} where a list is expected")
    return value


def _digits(name: str, value: float | Decimal, exact: int) -> str:
    """A number as an id, or what is wrong with it, beginning with "field "."""
    if isinstance(value, int):
        return str(value)
    if not math.isfinite(value):
        return f"field {name!r} holds a number that isn't finite where an id is expected"
    if value != int(value):
        return f"field {name!r} holds {str(value)[:40]} where an id is expected, which is text or a whole number"
    if isinstance(value, float) and abs(value) >= exact:
        return f"field {name!r} holds {value:g}, too large a floating-point number to have kept all digits of an id"
    return str(int(value))
