"""Files and folders appear whole or not at all, and can be told from broken ones by checksum."""

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from indexing.disk import disk_errors
from indexing.errors import BusyError, TrainingError
from indexing.progress import Progress, relabel, silent

PARTIAL = ".partial-"
HASHED_AT_ONCE = 1 << 22  # bytes


def fsync_path(path: Path) -> None:
    """Make a file's bytes, or a folder's entries, survive a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_text(path: Path, text: str) -> None:
    """Replace `path` by `text` (UTF-8) in one step: a reader sees the old file or the new one.

    Raises:
        DiskFullError: the disk is full.
    """
    with disk_errors(path):
        _write_text(path, text)


def _write_text(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    fsync_path(path.parent)


def write_json(path: Path, value: Any) -> None:
    """Replace `path` by `value` as indented JSON with sorted keys."""
    write_text(path, json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n")


@contextmanager
def folder(target: Path) -> Iterator[Path]:
    """Yield an empty folder to fill; it takes the name `target` only if the block ends well.

    On any failure, Ctrl-C included, the unfinished folder is removed. `target` must not exist.

    Raises:
        DiskFullError: the disk is full.
    """
    with disk_errors(target), _folder(target) as temporary:
        yield temporary


@contextmanager
def _folder(target: Path) -> Iterator[Path]:
    target.parent.mkdir(parents=True, exist_ok=True)
    for stale in target.parent.glob(f".{target.name}{PARTIAL}*"):
        with locked(stale) as free:
            if free:  # of a process that was killed
                shutil.rmtree(stale)
    temporary = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}{PARTIAL}"))
    try:
        with locked(temporary):
            yield temporary
            for path in [*temporary.rglob("*"), temporary]:
                fsync_path(path)
            temporary.chmod(0o755)
            temporary.rename(target)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    fsync_path(target.parent)


@contextmanager
def locked(folder: Path) -> Iterator[bool]:
    """Hold a folder against other processes for the block; yields False where another holds it.

    The lock ends with the process, however that ends.
    """
    handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(handle)


@contextmanager
def hold(folder: Path, doing: str) -> Iterator[None]:
    """Hold a folder against other processes for the block; `doing` says what the other one does: "is building x".

    Raises:
        BusyError: another process holds it.
    """
    with locked(folder) as free:
        if not free:
            raise BusyError(f"Another process {doing}; wait for it, or stop it.")
        yield


def sha256(path: Path, *, progress: Progress = silent) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal; `progress` counts them."""
    digest, size = hashlib.sha256(), path.stat().st_size
    with path.open("rb") as file:
        while block := file.read(HASHED_AT_ONCE):
            digest.update(block)
            progress("verify", len(block), size)
    return digest.hexdigest()


def file_row(path: Path) -> dict[str, Any]:
    """Size in bytes and checksum of a file, as manifests hold them."""
    return {"bytes": path.stat().st_size, "sha256": sha256(path)}


def changed_files(
    root: Path, table: dict[str, dict[str, Any]], *, full: bool, progress: Progress = silent
) -> list[str]:
    """Sentences on the files of `table` that are absent or differ: by size, and if `full` by checksum.

    `progress` counts bytes.
    """
    faults = []
    total = sum(int(row["bytes"]) for row in table.values())
    counted = relabel(progress, "verify", total=total)
    for name, expected in table.items():
        path = root / name
        if not path.is_file():
            faults.append(f"{name} is absent")
        elif path.stat().st_size != expected["bytes"]:
            faults.append(f"{name} has {path.stat().st_size:,} bytes, the manifest says {expected['bytes']:,}")
        elif full and sha256(path, progress=counted) != expected["sha256"]:
            faults.append(f"{name} has another checksum than the manifest says")
    return faults


def check_new(output: Path) -> None:
    """Raise TrainingError where something is there."""
    if output.exists():
        raise TrainingError(f"{output} is there already; give another --output, or move it away.")
