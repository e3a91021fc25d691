"""HTML that can't be broken by a text: whatever isn't markup already is escaped when it is put in."""

from collections.abc import Sequence
from html import escape


class Markup(str):
    """HTML made by `element`, which is put in as it stands."""

    __slots__ = ()


def element(name: str, *content: str, **attributes: str | float) -> Markup:
    """An element; `class_` gives the attribute class, and an underscore within a name a hyphen."""
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_shown(value))}"' for key, value in attributes.items()
    )
    return Markup(f"<{name}{given}>{join(content)}</{name}>")


def join(parts: Sequence[str]) -> Markup:
    """The parts one after the other."""
    return Markup("".join(part if isinstance(part, Markup) else escape(part) for part in parts))


def _shown(value: str | float) -> str:
    """A coordinate has two decimals at most."""
    return value if isinstance(value, str) else f"{value:.2f}".rstrip("0").rstrip(".")
