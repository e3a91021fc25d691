"""Which fields of a record are a passage's id, text and title: those that are given, or those that collections use."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from indexing.errors import SettingsError

ID_FIELDS = ("_id", "id", "pid", "passage_id", "docno", "docid", "doc_id")
TEXT_FIELDS = ("text", "passage", "passage_text", "contents", "content", "body", "segment")
TITLE_FIELDS = ("title", "headings")
KINDS = {
    dict: "an object",
    list: "a list",
    bool: "true or false",
    type(None): "null",
    int: "a number",
    float: "a number",
}


@dataclass(frozen=True)
class Fields:
    """Names of a record's fields. None is found by the names that collections use, the first that is there."""

    id: str | None = None
    text: str | None = None
    title: str | None = None
    """An empty name stands for no title."""

    def __post_init__(self) -> None:
        if self.id == "" or self.text == "":
            raise SettingsError("The name of the id's field and of the text's can't be empty; name them, or neither.")


class Found(NamedTuple):
    """The names that hold in one record; `title` is None where it has none."""

    id: str
    text: str
    title: str | None


@lru_cache(maxsize=8)
def find(fields: Fields, names: tuple[str, ...]) -> Found | str:
    """The fields among a record's `names`, or what is missing."""
    for given in (fields.id, fields.text, fields.title):
        if given and given not in names:
            return f"there is no field {given!r}, only {listed(names)}"
    taken = {fields.id, fields.text, fields.title}
    chosen = [
        given if given is not None else next((name for name in known if name in names and name not in taken), None)
        for given, known in ((fields.id, ID_FIELDS), (fields.text, TEXT_FIELDS), (fields.title, TITLE_FIELDS))
    ]
    if chosen[0] is None or chosen[1] is None:
        what, known = ("id", ID_FIELDS) if chosen[0] is None else ("text", TEXT_FIELDS)
        return f"fields {listed(names)} hold no {what} ({', '.join(known)})"
    return Found(chosen[0], chosen[1], chosen[2] or None)


def listed(names: Iterable[str]) -> str:
    """The first 8 names, in order of the alphabet."""
    ordered = sorted(names)
    more = f" and {len(ordered) - 8} more" if len(ordered) > 8 else ""
    return ", ".join(repr(name[:40]) for name in ordered[:8]) + more


def as_strings(found: Found, key: object, text: object, title: object) -> tuple[str, str, str] | str:
    """The values as strings, or which of them is none: ids may be numbers, a title may be null."""
    if type(key) in (int, float) and math.isfinite(key):  # type: ignore[arg-type]  # no bool
        key = str(key)
    if title is None:
        title = ""
    if isinstance(key, str) and isinstance(text, str) and isinstance(title, str):
        return key, text, title
    name, value, wanted = next(
        (name, value, wanted)
        for name, value, wanted in ((found.id, key, "an id"), (found.text, text, "text"), (found.title, title, "text"))
        if not isinstance(value, str)
    )
    kind = KINDS.get(type(value), type(value).__name__)
    if isinstance(value, float) and not math.isfinite(value):
        kind = "a number that isn't finite"
    return f"field {name!r} holds {kind} where {wanted} is wanted"
