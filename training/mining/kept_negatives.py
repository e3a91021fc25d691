"""Keeps what was mined for trainings, so that the next one on the same build begins sooner, and a preview helps it.

A file is a journal of one build and one way to mine: each query's negatives under a key that is made of its text and
its judgments, so that another build, another setting or another judgment finds nothing. The files used last are kept,
as many as fit into MOST_BYTES.
"""

import hashlib
import json
import logging
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from indexing.errors import BusyError, CorpusError, SettingsError
from indexing.index import Index
from indexing.provenance import package_version
from indexing.records import PassageId, Query
from search.journal import Journal, open_journal

FOLDER = "mined"  # below places.runs()
ENDING = ".journal"
FORM = 1  # of the values; to be raised where what is mined changes and the program's version doesn't
MOST_BYTES = 256_000_000  # of all files
MOST_ITEMS = 20_000  # of one file, which is read into memory
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Keeping:
    """Where what is mined for trainings is kept."""

    folder: Path
    anew: bool = False
    """Whether to mine even what is there, as where its time is measured."""


class KeptNegatives:
    """What was mined in one way from one build, by key; what is added is there for the next training at once."""

    def __init__(self, journal: Journal | None = None, *, anew: bool = False) -> None:
        """Without a journal nothing is known and nothing is kept. Raises CorpusError if it can't be read."""
        self._journal = journal
        self._there = set() if journal is None else set(journal.kept)
        self._known: dict[str, Any] = {} if journal is None or anew else dict(journal.items())

    def knows(self, key: str) -> bool:
        """Whether `get` needs to compute nothing for this."""
        return key in self._known

    def get(self, key: str, compute: Callable[[], Any]) -> Any:
        """What is known by this key, else what is computed now, as plain JSON, which is kept."""
        if key in self._known:
            return self._known[key]
        value = compute()
        if self._journal is not None and key not in self._there and len(self._there) < MOST_ITEMS:
            try:
                self._journal.add(key, value)
                self._there.add(key)
            except CorpusError as error:  # a full disk: what was mined is used all the same
                log.warning("What is mined isn't kept: %s", error)
                self._journal = None
        return value


def query_key(query: Query, judged: Mapping[PassageId, int]) -> str:
    """By what a query's negatives are kept: its id, its text and all its judgments."""
    return digest("query", query.id, query.text, sorted(judged.items()))


def digest(*parts: Any) -> str:
    """A key made of plain JSON; the first part says what it is the key of."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:24]


@contextmanager
def open_kept(keeping: Keeping | None, index: Index, settings: Mapping[str, Any]) -> Iterator[KeptNegatives]:
    """What is kept of a build; `settings` are all else that determines what is mined for a query.

    Nothing is kept where `keeping` is None or can't be written to, or while another process mines in the same way.
    """
    if keeping is None:
        yield KeptNegatives()
        return
    manifest = index.manifest
    build = {"index": manifest.name, "build": manifest.build, "corpus": manifest.corpus_fingerprint}
    identity = {**build, "form": FORM, "program": package_version(), **settings}
    path = keeping.folder / f"{manifest.name}-{digest('file', identity)}{ENDING}"
    with ExitStack() as stack:
        yield _opened(path, identity, stack, anew=keeping.anew)
        with suppress(OSError):
            os.utime(path)
            _remove_oldest(keeping.folder, spare=path)


def _opened(path: Path, identity: Mapping[str, Any], stack: ExitStack, *, anew: bool) -> KeptNegatives:
    """What is kept in a file until the stack ends; nothing where it can't be used."""
    try:
        journal = stack.enter_context(open_journal(path, identity, doing="mines in the same way"))
        return KeptNegatives(journal, anew=anew)
    except BusyError:  # such as another person's preview
        return KeptNegatives()
    except (CorpusError, OSError) as error:  # it can't be written, or another process has just removed it
        log.warning("What was mined before isn't used: %s", error)
        return KeptNegatives()
    except SettingsError as error:  # its beginning is damaged
        log.warning("What was mined before isn't used: %s", error)
        path.unlink(missing_ok=True)
        return KeptNegatives()


def _remove_oldest(folder: Path, *, spare: Path) -> None:
    """Remove the files that were used longest ago until the rest fit; one that another process has open stays its."""
    rows = [(path, path.stat()) for path in folder.glob(f"*{ENDING}") if path != spare]
    room = MOST_BYTES - spare.stat().st_size
    for path, stat in sorted(rows, key=lambda row: -row[1].st_mtime):
        room -= stat.st_size
        if room < 0:
            path.unlink(missing_ok=True)
