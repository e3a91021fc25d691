"""Ends a process at a chosen moment: just before something changes on disk.

A file is opened to write, linked, renamed, removed or synced, a folder is made or removed.
"""

import os
import signal
import sys
from pathlib import Path
from typing import Any
from unittest.mock import patch

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
REMOVALS = ("os.remove", "os.rmdir")


class Moments:
    """Tells `log` of each moment of this process in a folder, and kills the process at one of them."""

    def __init__(self, root: Path, log: int, *, kill_before: int, power_cut: bool) -> None:
        self._root, self._log, self._last, self._power_cut = str(root), log, kill_before, power_cut
        self._count = 0
        self._safe = {file.stat().st_ino for file in root.rglob("*") if file.is_file()}  # inodes of synced files
        self._fsync = os.fsync
        sys.addaudithook(self._hear)
        patch.object(os, "fsync", self._synced).start()

    def _hear(self, event: str, values: tuple[Any, ...]) -> None:
        """What Python tells of before it happens; of what changes nothing, such as making a folder again, no word."""
        path = Path(str(values[0])) if values else Path()
        if event in REMOVALS and values[1] >= 0:
            path = Path(f"/proc/self/fd/{values[1]}", values[0]).resolve()  # named from a folder that is open
        counts = {
            "open": lambda: bool(values[2] & WRITING),
            "os.rename": lambda: True,
            "os.link": lambda: True,
            "os.mkdir": lambda: not path.exists(),
            **dict.fromkeys(REMOVALS, path.exists),
        }
        if event in counts and counts[event]():
            self._next(event, str(path))

    def _synced(self, handle: int) -> None:
        self._next("fsync", str(Path(f"/proc/self/fd/{handle}").readlink()))
        self._fsync(handle)
        self._safe.add(os.fstat(handle).st_ino)

    def _next(self, event: str, path: str) -> None:
        if not path.startswith(self._root):
            return
        self._count += 1
        os.write(self._log, f"moment {event} {path}\n".encode())
        if self._count == self._last:
            if self._power_cut:
                self._lose()
            os.kill(os.getpid(), signal.SIGKILL)

    def _lose(self) -> None:
        """Leave half of every file that was written but not synced, as a power cut may."""
        for file in Path(self._root).rglob("*"):
            if file.is_file() and file.stat().st_ino not in self._safe and file.stat().st_nlink == 1:
                os.truncate(file, file.stat().st_size // 2)
