"""Checks an index's bytes against its manifest when it is opened: at once where that is quick, else while it serves."""

import logging
import os
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from indexing import atomic
from indexing.errors import first_line
from indexing.manifest import Manifest, broken

AT_ONCE = 1 << 29  # bytes that are checked before an index opens: under a second at 1 GiB/s of SHA-256
THREADS = min(4, os.cpu_count() or 1)  # files read at once; hashing holds no lock of Python's
NO_VERIFY = "SECOND_LOOK_NO_VERIFY"
"""The environment variable that leaves bytes unchecked; `--no-verify` sets it for a command and what it starts."""
CHECKING, SOUND, BROKEN, UNCHECKED = "checking", "sound", "broken", "unchecked"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Verification:
    """How far the check of a build's bytes has come."""

    state: str
    """`checking`, `sound`, `broken` or `unchecked`."""
    at: datetime
    """When this state began, local time."""
    fault: str = ""
    """What is broken, as a manifest's files are named; else empty."""
    files: tuple[tuple[str, int, int, int, int], ...] = ()
    """Name, size, times and number on disk of every file: other ones are other files, which are checked again."""

    def sentence(self) -> str:
        """What to show beside an index."""
        time = f"{self.at:%H:%M}"
        return {
            CHECKING: f"Bytes are being checked since {time}",
            SOUND: f"Bytes checked at {time}: sound",
            BROKEN: f"Bytes checked at {time}: broken, {self.fault}",
            UNCHECKED: f"Bytes not checked, because {NO_VERIFY} is set",
        }[self.state]


class Verifications:
    """What this process has checked, by the build's folder."""

    def __init__(self) -> None:
        self._found: dict[str, Verification] = {}
        self._lock = threading.Lock()

    def begin(self, folder: Path, manifest: Manifest, *, at_once: int = AT_ONCE) -> threading.Thread | None:
        """Check a build whose files have the right sizes; those that were found sound before aren't read again.

        A build of more than `at_once` bytes is checked by the thread that is given back.

        Raises:
            IndexingError: a file is broken.
        """
        files = _files(folder, manifest)
        if os.environ.get(NO_VERIFY, "0") not in ("", "0"):
            self._set(folder, Verification(UNCHECKED, datetime.now().astimezone(), files=files))
            return None
        with self._lock:
            known = self._found.get(str(folder))
            if known is not None and known.files == files and known.state in (CHECKING, SOUND):
                return None
            self._found[str(folder)] = Verification(CHECKING, datetime.now().astimezone(), files=files)
        if manifest.bytes <= at_once:
            self._check(folder, manifest, files)
            self.check(folder)
            return None
        log.info("Index %s: its %.1f GB are checked in the background", folder, manifest.bytes / 1e9)
        thread = threading.Thread(
            target=self._check, args=(folder, manifest, files), name=f"verify {folder.name}", daemon=True
        )
        thread.start()
        return thread

    def of(self, folder: Path) -> Verification | None:
        """How far the check of this build has come in this process; None if it wasn't opened."""
        with self._lock:
            return self._found.get(str(folder))

    def unfinished(self) -> list[Path]:
        """The builds whose check goes on."""
        with self._lock:
            return [Path(folder) for folder, found in self._found.items() if found.state == CHECKING]

    def check(self, folder: Path) -> None:
        """Raise IndexingError if this build was found broken."""
        found = self._found.get(str(folder))
        if found is not None and found.state == BROKEN:
            raise broken(folder, found.fault)

    def _check(self, folder: Path, manifest: Manifest, files: tuple[tuple[str, int, int, int, int], ...]) -> None:
        fault = first_fault(folder, manifest.files)
        state = BROKEN if fault else SOUND
        self._set(folder, Verification(state, datetime.now().astimezone(), fault, files))
        if fault:
            log.error("%s", broken(folder, fault))
        else:
            log.info("Index %s: its bytes are those of its manifest", folder)

    def _set(self, folder: Path, verification: Verification) -> None:
        with self._lock:
            self._found[str(folder)] = verification


verifications = Verifications()
"""Those of this process."""


def first_fault(folder: Path, files: Mapping[str, Mapping[str, Any]]) -> str:
    """What is wrong with the first file, in the manifest's order, whose bytes aren't the manifest's; empty if none."""
    with ThreadPoolExecutor(THREADS) as pool:
        return next(filter(None, pool.map(lambda row: _fault(folder, *row), files.items())), "")


def _fault(folder: Path, name: str, row: Mapping[str, Any]) -> str:
    try:
        faults = atomic.changed_files(folder, {name: dict(row)}, full=True)
    except OSError as error:
        return f"{name} can't be read ({first_line(error)})"
    return next(iter(faults), "")


def _files(folder: Path, manifest: Manifest) -> tuple[tuple[str, int, int, int, int], ...]:
    stats = [(name, (folder / name).stat()) for name in manifest.files]
    return tuple((name, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino) for name, stat in stats)
