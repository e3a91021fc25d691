"""What a page showed last, kept on disk so that it is there on arrival, with what it is of and when it was measured."""

import hashlib
import json
import logging
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Generic, TypeVar

import streamlit as st

from indexing import atomic, places
from indexing.errors import SecondLookError
from indexing.typed_json import made

T = TypeVar("T")
FOLDER = "shown"  # below places.runs()
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class KeptResult(Generic[T]):
    """A result with all that its page draws."""

    result: T
    measured: str
    """When, as a date and time."""


def keep_result(name: str, result: Any) -> None:
    """Keep a dataclass of plain values as the last of its name; where the disk refuses, that is only logged."""
    values, now = asdict(result), datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    kept = {"measured": now, "result": values, "checksum": _checksum(values)}
    try:
        atomic.write_text(_path(name), json.dumps(kept, ensure_ascii=False) + "\n")
    except (OSError, SecondLookError) as error:
        log.warning("What was measured isn't kept for the next visit: %s", error)


def read_result(name: str, kind: type[T]) -> KeptResult[T] | None:
    """What `keep_result` kept last by this name; None where nothing was, or the file isn't as it was written."""
    try:
        stat = _path(name).stat()
    except OSError:
        return None
    return _read(str(_path(name)), f"{stat.st_mtime_ns} {stat.st_size} {stat.st_ino}", kind)


@st.cache_resource(max_entries=4, show_spinner=False)
def _read(path: str, state: str, _kind: type[T]) -> KeptResult[T] | None:
    """`state` changes with the file, which is read once."""
    del state
    try:
        values = json.loads(Path(path).read_text(encoding="utf-8"))
        if values["checksum"] != _checksum(values["result"]):
            raise ValueError("its checksum differs")
        return KeptResult(made(_kind, values["result"], path), str(values["measured"]))
    except (OSError, ValueError, TypeError, LookupError, RecursionError, SecondLookError) as error:
        log.warning("%s can't be shown (%s).", path, error)
        return None


def _checksum(values: Any) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def _path(name: str) -> Path:
    return places.runs() / FOLDER / f"{name}.json"
