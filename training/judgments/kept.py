"""Judgments that are kept to train on, but aren't grades of the Teach page: one set an index and origin, marked."""

import errno
import json
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from indexing import atomic, places
from indexing.errors import CorpusError, SettingsError, first_line
from indexing.judged.qrels import MODEL
from indexing.judged.sets import JudgedSet, read_judged
from indexing.notes import silent_note
from indexing.records import Query
from training.judgments.feedback import FeedbackStore
from training.judgments.marked import qrels_lines, query_lines, write_lines

RECORD = "kept.json"


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Who or what made judgments."""

    name: str
    """Stands in the names of their files; no split, so that a corpus beside them doesn't take them for its own."""
    words: str
    """Completes "judgments ..."."""
    root: Callable[[], Path]
    """The folder of all that is kept, with a folder an index."""

    @property
    def queries(self) -> str:
        """Name of the file of queries."""
        return f"queries.{self.name}.tsv"

    @property
    def qrels(self) -> str:
        """Name of the file of judgments."""
        return f"qrels.{self.name}.tsv"

    @property
    def record(self) -> str:
        """Name of the file that says how they were made."""
        return f"{self.name}.json"


FROM_CLICKS = Origin(name="clicks", words="from clicks", root=places.clicks)
IMPORTED = Origin(name="imported", words="from a file", root=places.imported)
BY_MODEL = Origin(name="model", words="by a model", root=places.model_grades)
ORIGINS: Mapping[str, Origin] = {origin.name: origin for origin in (FROM_CLICKS, IMPORTED, BY_MODEL)}


@dataclass(frozen=True, kw_only=True)
class KeptSet:
    """What is kept of an index by one origin."""

    folder: Path
    judgments: int
    queries: int
    grades: Mapping[int, int]
    """How many judgments have each grade."""
    made_by: str
    """The name of the file that was read, or of the model."""
    at: str
    """UTC, ISO 8601."""


def keep(origin: Origin, index: str, fill: Callable[[Path], None], *, build: str) -> Path:
    """Keep what `fill` writes into a folder, in place of what was kept of the index before; the folder.

    Raises:
        CorpusError: somebody else keeps some at the same moment, or what `fill` raises.
    """
    earlier = _folders(origin, index)
    target = origin.root() / index / str(int(earlier[-1].name) + 1 if earlier else 1)
    try:
        with atomic.folder(target) as folder:
            fill(folder)
            at = datetime.now(UTC).isoformat(timespec="seconds")
            atomic.write_json(folder / RECORD, {"at": at, "build": build, "index": index})
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
        raise CorpusError(
            f"Somebody else has just kept judgments {origin.words} for index {index}; look at theirs, then keep yours "
            "again."
        ) from None
    for folder in earlier:
        shutil.rmtree(folder, ignore_errors=True)
    return target


def kept_folder(origin: Origin, index: str) -> Path | None:
    """The folder of what is kept of an index; None for nothing."""
    folders = _folders(origin, index)
    return folders[-1] if folders else None


def kept_set(origin: Origin, index: str) -> KeptSet | None:
    """What is kept of an index; None for nothing. Raises CorpusError if its record can't be read."""
    folder = kept_folder(origin, index)
    return None if folder is None else read_set(origin, folder)


def build_of(origin: Origin, index: str) -> str:
    """The build that what is kept of an index was made on; empty for nothing, or where that isn't recorded.

    Raises:
        CorpusError: the record can't be read.
    """
    folder = kept_folder(origin, index)
    try:
        return "" if folder is None else str(json_of(folder / RECORD).get("build", ""))
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise damaged(origin, folder or origin.root(), error) from error


def read_set(origin: Origin, folder: Path) -> KeptSet:
    """What a folder holds. Raises CorpusError if its record can't be read."""
    try:
        record, kept = json_of(folder / origin.record), json_of(folder / RECORD)
        made_by = record["file"]["name"] if origin is IMPORTED else str(record["source"]).removeprefix(MODEL)
        return KeptSet(
            folder=folder,
            judgments=int(record["judgments"]),
            queries=int(record["queries"]),
            grades={int(grade): int(count) for grade, count in dict(record["grades"]).items()},
            made_by=str(made_by),
            at=str(kept["at"]),
        )
    except (OSError, ValueError, LookupError, TypeError, RecursionError) as error:
        raise damaged(origin, folder, error) from error


def damaged(origin: Origin, folder: Path, error: Exception) -> CorpusError:
    """The error of a kept set that can't be read."""
    return CorpusError(
        f"Kept judgments {origin.words} in {folder} are damaged ({first_line(error)}); delete the folder."
    )


def remove_kept(origin: Origin, index: str) -> None:
    """Remove what is kept of an index."""
    for folder in _folders(origin, index):
        shutil.rmtree(folder)


def read_kept(origin: Origin, folder: Path) -> JudgedSet:
    """The queries and judgments in the folder of a kept set. Raises CorpusError if they can't be read."""
    return read_judged(folder / origin.queries, folder / origin.qrels, split=origin.name, note=silent_note)


def judgments_to_train(origin: Origin, index: str, store: FeedbackStore) -> JudgedSet | None:
    """What is kept of an index without protected queries, whose grades by people measure what is trained; or None.

    Raises:
        CorpusError: the files can't be read.
    """
    folder = kept_folder(origin, index)
    if folder is None:
        return None
    judged = read_kept(origin, folder)
    protected = store.protected(query.text for query in judged.queries)
    return _only(judged, (query for query in judged.queries if query.text not in protected))


def write_to_train(origin: Origin, index: str, folder: Path, store: FeedbackStore) -> None:
    """Write the files that `--data judged:` reads, so that a training keeps its own when others are kept.

    Raises:
        SettingsError: nothing is kept of the index any more.
        CorpusError: what is kept can't be read.
    """
    judged = judgments_to_train(origin, index, store)
    if judged is None:
        raise SettingsError(f"No judgments {origin.words} are kept for {index} any more; choose other data.")
    write_lines(folder / origin.queries, query_lines(judged.queries))
    write_lines(folder / origin.qrels, qrels_lines(judged.queries, judged.qrels, mark=judged.source or "0"))


def json_of(path: Path) -> dict[str, Any]:
    """The object in a JSON file. Raises OSError, ValueError, TypeError."""
    return dict(json.loads(path.read_text(encoding="utf-8")))


def _only(judged: JudgedSet, queries: Iterable[Query]) -> JudgedSet:
    left = tuple(queries)
    return JudgedSet(judged.split, left, {query.id: judged.qrels[query.id] for query in left}, source=judged.source)


def _folders(origin: Origin, index: str) -> list[Path]:
    """The folders with a record, the newest last; more than one only where a program was killed in between."""
    found = (path for path in (origin.root() / index).glob("*") if path.name.isdecimal())
    return sorted((path for path in found if (path / RECORD).is_file()), key=lambda path: int(path.name))
