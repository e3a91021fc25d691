"""How a source of training data is written: FORM:PLACE, and behind it ,NAME=VALUE for what it is read with."""

import re
from collections.abc import Mapping

from indexing.errors import SettingsError

NEEDS: Mapping[str, tuple[str, ...]] = {
    "qidpidtriples": ("queries",),
    "top1000": ("qrels",),
    "run": ("index",),
    "judged": ("queries", "qrels"),
}
"""What a form is read with besides its own place."""
MAY: Mapping[str, tuple[str, ...]] = {"run": ("queries",)}
"""What it is read with where that is given."""


def split_source(source: str) -> tuple[str, str, dict[str, str]]:
    """Form, place and options by name; the place is empty where there is none.

    What isn't an option of the form belongs to the place, as a path may hold commas.

    Raises:
        SettingsError: an option is given twice.
    """
    form, _, rest = source.partition(":")
    names = [*NEEDS.get(form, ()), *MAY.get(form, ())]
    if not names:
        return form, rest, {}
    place, *found = re.split(rf",({'|'.join(names)})=", rest)
    options: dict[str, str] = {}
    for name, value in zip(found[::2], found[1::2], strict=True):
        if name in options:
            raise SettingsError(f"{source!r} has two {name}; leave {options[name]} or {value} out.")
        options[name] = value
    return form, place, options


def index_of(source: str) -> str:
    """Name of the index that a source is read with; empty for none."""
    form, place, options = split_source(source)
    return place if form in ("index", "judged") else options.get("index", "")
