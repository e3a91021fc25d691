"""Keeps what a long command computed, item by item, so that it goes on where it was stopped, even by kill -9.

A journal is a file of lines, each a checksum and JSON: first what the items were computed from, then the items. A line
that was cut short by a stop, or was damaged, ends what is kept.
"""

import fcntl
import json
import os
import re
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from indexing import atomic
from indexing.errors import BusyError, CorpusError, SettingsError

SYNC_SECONDS = 5.0  # at most this much work is lost in a power cut; a killed process loses only its current item
KIND = "second-look journal"
CUT = re.compile(rb"[0-9a-f]{0,8}|[0-9a-f]{8} [^\n]*")
"""A first line of ours that was cut short."""


class Journal:
    """An open journal: the items of an earlier, stopped command, and a place for the next ones."""

    def __init__(self, path: Path, file: BinaryIO, kept: Sequence[str]) -> None:
        """Use `open_journal`."""
        self.path = path
        self.kept = tuple(kept)
        """The keys of the items that were there when it was opened, in their order."""
        self._file = file
        self._end = file.tell()
        self._synced = time.monotonic()

    def add(self, key: str, value: Any) -> None:
        """Append an item, whole or not at all. Raises CorpusError if it can't be written."""
        try:
            self._end += _write(self._file, {"key": key, "value": value})
            if time.monotonic() - self._synced > SYNC_SECONDS:
                os.fsync(self._file.fileno())
                self._synced = time.monotonic()
        except OSError as error:
            with suppress(OSError):  # a line that is cut short is dropped when the file is opened again
                self._file.truncate(self._end)
            raise _unwritable(self.path, error) from error

    def items(self) -> Iterator[tuple[str, Any]]:
        """All items, read from the file one by one, in the order in which they were added."""
        with self.path.open("rb") as file:
            next(file)
            for line in file:
                record = _record(line)
                if record is None:
                    raise CorpusError(f"{self.path} has changed while it was used; delete it and begin anew.")
                yield str(record["key"]), record["value"]

    def remove(self) -> None:
        """Delete the file: what it held is done."""
        self.path.unlink(missing_ok=True)


@contextmanager
def open_journal(path: Path, identity: Mapping[str, Any], *, doing: str) -> Iterator[Journal]:
    """Open a journal, or begin one, and hold it against other processes for the block.

    `identity` is all that determines an item, as plain JSON; `doing` says what another process that holds it does, as
    in "writes dev.trec".

    Raises:
        BusyError: another process holds it.
        SettingsError: it was begun with another identity, or is no journal at all.
        CorpusError: it can't be written.
    """
    expected = json.loads(json.dumps(identity))
    with _opened(path) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BusyError(f"Another process {doing}; wait for it, or stop it.") from None
        found, keys, end = _read(path, file)
        if found is not None and keys and found != expected:
            raise SettingsError(_differs(path, found, expected, answered=len(keys)))
        if found != expected:
            keys, end = [], 0
        try:
            file.truncate(end)
            file.seek(end)
            if not end:
                _write(file, {"kind": KIND, "identity": expected})
                os.fsync(file.fileno())
                atomic.fsync_path(path.parent)
        except OSError as error:
            raise _unwritable(path, error) from error
        yield Journal(path, file, keys)


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise _unwritable(path, error) from error
    with os.fdopen(handle, "r+b", buffering=0) as file:
        yield file


def _read(path: Path, file: BinaryIO) -> tuple[dict[str, Any] | None, list[str], int]:
    """The identity, None in an empty file; the keys of the whole items; and where these end, in bytes."""
    with os.fdopen(os.dup(file.fileno()), "rb") as lines:
        lines.seek(0)
        first = lines.readline()
        header = _record(first)
        if header is None or header.get("kind") != KIND:
            if CUT.fullmatch(first) is None:
                raise SettingsError(f"{path} isn't a file of this program; move it away, or give another output.")
            return None, [], 0
        keys, end = [], len(first)
        for line in lines:
            record = _record(line)
            if record is None:
                break
            keys.append(str(record["key"]))
            end += len(line)
        return header["identity"], keys, end


def _write(file: BinaryIO, record: Mapping[str, Any]) -> int:
    """Write a record's line; returns its bytes."""
    content = json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    line = b"%08x %s\n" % (zlib.crc32(content), content)
    written = 0
    while written < len(line):  # a full disk takes a part and refuses the rest
        written += file.write(line[written:])
    return written


def _record(line: bytes) -> dict[str, Any] | None:
    """A line's record; None for one that isn't whole."""
    checksum, _, content = line.rstrip(b"\n").partition(b" ")
    if not line.endswith(b"\n") or checksum != b"%08x" % zlib.crc32(content):
        return None
    record = json.loads(content.decode("utf-8", "surrogatepass"))
    return record if isinstance(record, dict) else None


def _differs(path: Path, found: Mapping[str, Any], expected: Mapping[str, Any], *, answered: int) -> str:
    changed = [
        f"{name} {_shown(found.get(name))}, now {_shown(expected.get(name))}"
        for name in sorted({*found, *expected})
        if found.get(name) != expected.get(name)
    ]
    return (
        f"{path} keeps {answered:,} {'query' if answered == 1 else 'queries'} of a run that was stopped and was made "
        f"otherwise ({'; '.join(changed)[:200]}); repeat that command to finish it, or delete the file to begin anew."
    )


def _shown(value: Any) -> str:
    return "none" if value is None else str(value)[:40]


def _unwritable(path: Path, error: OSError) -> CorpusError:
    return CorpusError(
        f"{path} can't be written ({error.strerror or error}); make room or give another output, and run it again: "
        "what was computed is kept."
    )
