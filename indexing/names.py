"""The names that an index may have, and that of the default bi-encoder."""

import re

from indexing.errors import SettingsError

DEFAULT_BI_ENCODER = "sentence-transformers/all-MiniLM-L6-v2"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


def check_name(name: str) -> None:
    """Refuse a name that isn't a plain folder name."""
    if not NAME.fullmatch(name):
        raise SettingsError(f"Index name {name!r} must be letters, digits, '.', '_' or '-', at most 64 of them.")
