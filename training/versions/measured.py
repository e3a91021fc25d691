"""Keeps how versions ordered lists of candidates, so that nothing is measured twice: one file a version and set.

A file belongs to the version's files, the lists (queries, passages and scores, which come from a build and a depth) and
the arithmetic of this machine; where any of these differs, so does the file's name. One that doesn't hold what was
written is measured again.
"""

import hashlib
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from indexing import atomic, precision
from indexing.errors import SecondLookError
from indexing.progress import Progress, silent
from indexing.provenance import package_version
from indexing.records import PassageId, QueryId, Ranking, Run
from search.rerank.reranker import Reranker
from search.served import reranker_fingerprint
from training.evaluation.candidates import Candidates, reranked

FOLDER = "measured"  # below places.runs()
log = logging.getLogger(__name__)


def measured_run(
    folder: Path,
    lists: Candidates,
    open_model: Callable[[], Reranker],
    *,
    kept_in: Path | None,
    name: str = "",
    note: Callable[[str], None] = log.info,
    progress: Progress = silent,
) -> Run:
    """Each query's list as the version in `folder` orders it, kept below `kept_in` or, where None, not kept.

    Args:
        folder: the version's files.
        lists: the candidates of each query.
        open_model: opens the version; not called where the order is known.
        kept_in: the folder of kept orders.
        name: what the version is called in the sentence to `note`.
        note: gets a sentence where a kept order is used again.
        progress: counts the queries that are scored.
    """
    if kept_in is None:
        return reranked(lists, open_model(), progress=progress)
    path = _path(folder, lists, kept_in)
    kept = _read(path, lists)
    if kept is not None:
        note(kept.sentence(name or folder.name))
        return kept.run
    run = reranked(lists, open_model(), progress=progress)
    _write(path, run)
    return run


@dataclass(frozen=True)
class KeptRun:
    """An order of lists that was kept."""

    run: Run
    measured: str
    """When, as a date and time."""

    def sentence(self, version: str) -> str:
        """That it is used again."""
        return f"{version} was measured on {self.measured} with the same files, queries and build; this is used again."


def kept_run(folder: Path, lists: Candidates, *, kept_in: Path) -> KeptRun | None:
    """What `measured_run` kept of these lists below `kept_in`; None where it would have to score them."""
    return _read(_path(folder, lists, kept_in), lists)


def _path(folder: Path, lists: Candidates, kept_in: Path) -> Path:
    return kept_in / f"{_key(folder, lists)}.json"


def _key(folder: Path, lists: Candidates) -> str:
    on = precision.device()
    parts = [reranker_fingerprint(str(folder)), lists.fingerprint(), on, str(precision.fastest_dtype(on))]
    return hashlib.sha256(json.dumps([*parts, package_version()]).encode()).hexdigest()[:24]


def _write(path: Path, run: Run) -> None:
    """Keep the orders, unless the folder can't be written to, which is only told."""
    rows: dict[str, Any] = {
        query: [list(ranking.passage_ids), ranking.scores.tolist()] for query, ranking in run.items()
    }
    when = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic.write_text(path, json.dumps({"measured": when, "run": rows, "checksum": _checksum(when, rows)}) + "\n")
    except (OSError, SecondLookError) as error:  # no right to write there, or a full disk
        log.warning("What was measured isn't kept: %s", error)


def _read(path: Path, lists: Candidates) -> KeptRun | None:
    """The kept orders and when they were measured; None where there are none, or the file isn't as it was written."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        when, rows = str(values["measured"]), values["run"]
        if values["checksum"] != _checksum(when, rows):
            raise ValueError("its checksum differs")
        run: Run = {
            QueryId(query): Ranking.sort(zip(map(PassageId, ids), map(float, scores), strict=True))
            for query, (ids, scores) in rows.items()
        }
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        log.warning("%s can't be used (%s); it is measured again.", path, error)
        return None
    same = run.keys() == {query.id for query in lists.queries} and all(
        set(ranking.passage_ids) == set(lists.run[query].passage_ids) for query, ranking in run.items()
    )
    return KeptRun(run, when) if same else None


def _checksum(when: str, rows: Any) -> str:
    return hashlib.sha256(json.dumps([when, rows]).encode()).hexdigest()
