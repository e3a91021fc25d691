"""Keeps what an evaluation searched, query by query, so that a stopped one goes on where it was."""

import hashlib
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from indexing.errors import BusyError, CorpusError
from indexing.notes import Note, log_note
from search.journal import Journal, open_journal

STALE_SECONDS = 30 * 24 * 3600  # what nobody came back to for so long is deleted


@dataclass(frozen=True)
class KeptSearches:
    """A folder of journals: one for each judged set that is searched, named after all that determines it."""

    folder: Path
    reranker: str
    """The re-ranker's fingerprint."""
    note: Note = log_note
    _journals: list[Journal] = field(default_factory=list, repr=False)

    @contextmanager
    def open(self, name: str, identity: Mapping[str, Any]) -> Iterator[Journal | None]:
        """The journal of one judged set; None where another process has it or the folder can't be written."""
        everything = {**identity, "re-ranker": self.reranker}
        digest = hashlib.sha256(json.dumps(everything, sort_keys=True).encode()).hexdigest()[:12]
        path = self.folder / f"{name}-{digest}.jsonl"
        self._remove_stale()
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
                self.note(f"{len(journal.kept):,} queries of {name} were searched before a stop; they aren't again.")
            self._journals.append(journal)
            yield journal
        finally:
            opened.__exit__(None, None, None)

    def forget(self) -> None:
        """Delete what was kept: the evaluation is done."""
        for journal in self._journals:
            journal.remove()

    def _remove_stale(self) -> None:
        if self.folder.is_dir():
            for path in self.folder.glob("*.jsonl"):
                if time.time() - path.stat().st_mtime > STALE_SECONDS:
                    path.unlink(missing_ok=True)
