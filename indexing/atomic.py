"""Files and folders appear whole or not at all, and can be told from broken ones by checksum."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def fsync_path(path: Path) -> None:
    """Make a file's bytes, or a folder's entries, survive a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_text(path: Path, text: str) -> None:
    """Replace `path` by `text` (UTF-8) in one step: a reader sees the old file or the new one."""
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
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}.partial-"))
    try:
        yield temporary
        for path in [*temporary.rglob("*"), temporary]:
            fsync_path(path)
        temporary.chmod(0o755)
        temporary.rename(target)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    fsync_path(target.parent)


def sha256(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def file_table(root: Path) -> dict[str, dict[str, Any]]:
    """Size in bytes and checksum of every file below `root`, by its relative path."""
    return {
        path.relative_to(root).as_posix(): {"bytes": path.stat().st_size, "sha256": sha256(path)}
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def changed_files(root: Path, table: dict[str, dict[str, Any]], *, full: bool) -> list[str]:
    """Sentences on the files of `table` that are absent or differ: by size, and if `full` by checksum."""
    faults = []
    for name, expected in table.items():
        path = root / name
        if not path.is_file():
            faults.append(f"{name} is absent")
        elif path.stat().st_size != expected["bytes"]:
            faults.append(f"{name} has {path.stat().st_size:,} bytes, the manifest says {expected['bytes']:,}")
        elif full and sha256(path) != expected["sha256"]:
            faults.append(f"{name} has another checksum than the manifest says")
    return faults
