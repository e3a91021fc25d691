"""Notes: sentences on what a reader left out, cut or counted, so that nothing of it is silent."""

import logging
from collections.abc import Callable, Sequence
from typing import TypeAlias

Note: TypeAlias = Callable[[str], None]
"""Takes one sentence. `list.append` keeps them; `log_note`, the default, shows them."""

_LOG = logging.getLogger(__name__)


def log_note(sentence: str) -> None:
    """Log a note as a warning, which commands print to stderr."""
    _LOG.warning("%s", sentence)


def silent_note(sentence: str) -> None:
    """Take a note that is told elsewhere, as by what holds it, or told again when the file is read for its content."""


def shown(names: Sequence[str], *, most: int = 5) -> str:
    """Names as a sentence lists them: the first `most`, and how many more there are."""
    listed = ", ".join(names[:most])
    return listed if len(names) <= most else f"{listed} and {len(names) - most:,} more"


def counted(count: int, noun: str, plural: str = "") -> str:
    """A count with its noun: `1 line`, `2,000 lines`, `2 queries`."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"
