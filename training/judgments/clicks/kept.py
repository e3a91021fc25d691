"""Judgments from clicks that are kept to train on, with what they were made from."""

from dataclasses import dataclass
from pathlib import Path

from indexing.notes import Note, log_note
from training.judgments.clicks.judge import ClickJudgments, write_clicks
from training.judgments.kept import FROM_CLICKS, RECORD, damaged, json_of, keep, kept_folder, remove_kept


@dataclass(frozen=True, kw_only=True)
class KeptClicks:
    """What is kept for an index."""

    folder: Path
    judgments: int
    queries: int
    least_views: int
    logs: tuple[str, ...]
    """Names of the files of the log."""
    at: str
    """UTC, ISO 8601."""


def keep_clicks(judgments: ClickJudgments, index: str, *, build: str, note: Note = log_note) -> KeptClicks:
    """Keep judgments of an index's passages, in place of those that were kept of it before.

    Raises:
        CorpusError: an id can't stand in a line of fields, or somebody else keeps some at the same moment.
        SettingsError: no pair has views enough.
    """

    def fill(folder: Path) -> None:
        write_clicks(judgments, folder, note=note)

    return _read(keep(FROM_CLICKS, index, fill, build=build))


def kept_clicks(index: str) -> KeptClicks | None:
    """What is kept for an index; None for nothing. Raises CorpusError if its record can't be read."""
    folder = kept_folder(FROM_CLICKS, index)
    return None if folder is None else _read(folder)


def remove_clicks(index: str) -> None:
    """Remove what is kept for an index."""
    remove_kept(FROM_CLICKS, index)


def _read(folder: Path) -> KeptClicks:
    try:
        record, kept = (json_of(folder / name) for name in (FROM_CLICKS.record, RECORD))
        return KeptClicks(
            folder=folder,
            judgments=int(record["judgments"]),
            queries=int(record["judged_queries"]),
            least_views=int(record["settings"]["least_views"]),
            logs=tuple(str(row["name"]) for row in record["log"]),
            at=str(kept["at"]),
        )
    except (OSError, ValueError, LookupError, TypeError, RecursionError) as error:
        raise damaged(FROM_CLICKS, folder, error) from error
