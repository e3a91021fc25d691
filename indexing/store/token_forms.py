"""The forms in which token vectors may be stored, without the code that stores them."""

from indexing.errors import SettingsError

INT8, INT4 = "int8", "int4"
FORMS = (INT4, INT8)
"""Bits of each dimension, the smaller first. A vector is stored as a direction: its length, 1, is known."""


def check_form(form: str) -> None:
    """Raise SettingsError for a form that is unknown; empty stands for none."""
    if form and form not in FORMS:
        raise SettingsError(f"Token vectors can't be stored as {form!r}; choose one of {', '.join(FORMS)}.")


def vector_bytes(form: str, dim: int) -> int:
    """Bytes of one token's vector."""
    return dim if form == INT8 else (dim + 1) // 2
