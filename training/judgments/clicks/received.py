"""What click logs a user may send, and those that lie in their folder on the server."""

from pathlib import Path

from indexing import places
from training.judgments.received import SentKind

ENDINGS = (".jsonl", ".ndjson", ".json", ".gz")
"""Of files that may hold a log."""


def logs() -> SentKind:
    """The files that may be sent as a log."""
    return SentKind("A log", ENDINGS, places.click_logs())


def logs_here() -> list[Path]:
    """The logs in the folder for those too large to send, except symbolic links, which could point anywhere."""
    found = sorted(places.click_logs().glob("*"))
    return [path for path in found if path.is_file() and not path.is_symlink() and path.suffix.lower() in ENDINGS]
