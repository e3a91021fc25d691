"""Keeps what an evaluation searched, query by query: a stopped one goes on, and one that is done serves the next.

Measures, baselines and shares are computed from these lists, so that another of them needs no search.
"""

import hashlib
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from indexing.errors import BusyError, CorpusError
from indexing.notes import Note, counted, log_note
from search.journal import Journal, open_journal

STALE_SECONDS = 30 * 24 * 3600  # what nobody came back to for so long is deleted
FOLDER = "searched"  # below places.runs(): what evaluations of the app searched
MOST_BYTES = 2 << 30  # that these may take; of more, the oldest are deleted


@dataclass(frozen=True)
class KeptSearches:
    """A folder of journals: one for each judged set that is searched, named after all that determines it."""

    folder: Path
    reranker: str
    """The re-ranker's fingerprint."""
    note: Note = log_note
    most_bytes: int | None = None
    """That the folder may hold beside what is open, the newest first; None for no bound."""
    _journals: list[Journal] = field(default_factory=list, repr=False)

    @contextmanager
    def open(self, name: str, identity: Mapping[str, Any], *, called: str = "") -> Iterator[Journal | None]:
        """The journal of one judged set; None where another process has it or the folder can't be written.

        `called` is the set's name in sentences, by default `name`.
        """
        everything = {**identity, "re-ranker": self.reranker}
        digest = hashlib.sha256(json.dumps(everything, sort_keys=True).encode()).hexdigest()[:12]
        path = self.folder / f"{name}-{digest}.jsonl"
        self._remove_old()
        try:
            opened = open_journal(path, everything, doing=f"evaluates {name}")
            journal = opened.__enter__()
        except BusyError:
            yield None
            return
        except CorpusError as error:
            self.note(f"What is searched can't be kept for the case of a stop: {error}")
            yield None
            return
        try:
            if journal.kept:
                queries = counted(len(journal.kept), "query", "queries")
                self.note(
                    f"The lists and times of {queries} of {called or name} were measured before with the same model, "
                    "depth and build; they are used again."
                )
            self._journals.append(journal)
            yield journal
        finally:
            opened.__exit__(None, None, None)

    def forget(self) -> None:
        """Delete what was kept: the evaluation is done."""
        for journal in self._journals:
            journal.remove()

    def _remove_old(self) -> None:
        """Delete what nobody came back to for long, and of what takes too much room the oldest."""
        mine = {journal.path for journal in self._journals}
        files = [(path.stat(), path) for path in self.folder.glob("*.jsonl") if path not in mine]
        room = self.most_bytes
        for stat, path in sorted(files, key=lambda file: -file[0].st_mtime):
            if room is not None:
                room -= stat.st_size
            if time.time() - stat.st_mtime > STALE_SECONDS or (room is not None and room < 0):
                path.unlink(missing_ok=True)
