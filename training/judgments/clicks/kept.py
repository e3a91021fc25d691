"""Judgments from clicks that are kept to train on: one set an index, marked as such and apart from people's grades."""

import errno
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from indexing import atomic, places
from indexing.errors import CorpusError, first_line
from indexing.judged.qrels import CLICKS
from indexing.judged.sets import JudgedSet, read_judged
from indexing.notes import Note, log_note
from training.judgments.clicks.judge import FILES, ClickJudgments, qrels_lines, query_lines, write_clicks
from training.judgments.feedback import FeedbackStore

RECORD = "kept.json"
QUERIES, QRELS = FILES[:2]


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


def keep_clicks(
    judgments: ClickJudgments, index: str, *, build: str, log: Sequence[Path], note: Note = log_note
) -> KeptClicks:
    """Keep judgments of an index's passages, in place of those that were kept of it before.

    Raises:
        CorpusError: an id can't stand in a line of fields, or somebody else keeps some at the same moment.
        SettingsError: no pair has views enough.
    """
    earlier = _folders(index)
    target = places.clicks() / index / str(int(earlier[-1].name) + 1 if earlier else 1)
    try:
        with atomic.folder(target) as folder:
            write_clicks(judgments, folder, log=log, note=note)
            at = datetime.now(UTC).isoformat(timespec="seconds")
            atomic.write_json(folder / RECORD, {"at": at, "build": build, "index": index})
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
        raise CorpusError(
            f"Somebody else has just kept clicks of index {index}; look at theirs, then keep yours again."
        ) from None
    for folder in earlier:
        shutil.rmtree(folder, ignore_errors=True)
    return _read(target)


def kept_clicks(index: str) -> KeptClicks | None:
    """What is kept for an index; None for nothing. Raises CorpusError if its record can't be read."""
    folders = _folders(index)
    return _read(folders[-1]) if folders else None


def remove_clicks(index: str) -> None:
    """Remove what is kept for an index."""
    for folder in _folders(index):
        shutil.rmtree(folder)


def clicks_to_train(kept: KeptClicks, store: FeedbackStore) -> JudgedSet:
    """The kept judgments without those of protected queries, whose grades by people measure what is trained.

    Raises:
        CorpusError, SettingsError: the files can't be read.
    """
    judged = read_judged(kept.folder / QUERIES, kept.folder / QRELS, split=CLICKS, note=_untold)
    protected = store.protected(query.text for query in judged.queries)
    left = tuple(query for query in judged.queries if query.text not in protected)
    return JudgedSet(judged.split, left, {query.id: judged.qrels[query.id] for query in left}, source=judged.source)


def write_clicks_to_train(judged: JudgedSet, folder: Path) -> None:
    """Write the files that `--data judged:` reads, so that a training keeps its own when others are kept."""
    lines = {QUERIES: query_lines(judged.queries), QRELS: qrels_lines(judged.queries, judged.qrels)}
    for name, rows in lines.items():
        atomic.write_text(folder / name, "".join(f"{row}\n" for row in rows))


def _untold(_: str) -> None:
    """Nothing: who keeps judgments from clicks knows what they are made from."""


def _folders(index: str) -> list[Path]:
    """The folders with a record, the newest last; more than one only where a program was killed in between."""
    found = (path for path in (places.clicks() / index).glob("*") if path.name.isdecimal())
    return sorted((path for path in found if (path / RECORD).is_file()), key=lambda path: int(path.name))


def _read(folder: Path) -> KeptClicks:
    try:
        record, kept = (_json(folder / name) for name in (FILES[3], RECORD))
        return KeptClicks(
            folder=folder,
            judgments=int(record["judgments"]),
            queries=int(record["judged_queries"]),
            least_views=int(record["settings"]["least_views"]),
            logs=tuple(str(row["name"]) for row in record["log"]),
            at=str(kept["at"]),
        )
    except (OSError, ValueError, LookupError, TypeError, RecursionError) as error:
        raise CorpusError(f"Kept clicks {folder} are damaged ({first_line(error)}); delete the folder.") from error


def _json(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text(encoding="utf-8")))
