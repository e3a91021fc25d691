"""The names that an index may have, that of the default bi-encoder, and which existing name is nearest to another."""

import re
from collections.abc import Iterable
from difflib import SequenceMatcher

from indexing.errors import SettingsError

DEFAULT_BI_ENCODER = "sentence-transformers/all-MiniLM-L6-v2"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


def check_name(name: str) -> None:
    """Refuse a name that isn't a plain folder name."""
    if not NAME.fullmatch(name):
        raise SettingsError(f"Index name {name!r} must be letters, digits, '.', '_' or '-', at most 64 of them.")


def nearest_first(name: str, names: Iterable[str]) -> list[str]:
    """The names, those most like `name` first whatever their case; alike ones in their own order."""
    return sorted(names, key=lambda one: -SequenceMatcher(None, one.casefold(), name.casefold()).ratio())
