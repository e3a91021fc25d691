"""What a page showed last, kept on disk so that it is there on arrival, with what it is of and when it was measured."""

import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Generic, TypeVar

import streamlit as st

from app.views.widgets.figures import heading_html
from app.views.widgets.notices import note
from indexing import atomic, places
from indexing.errors import SecondLookError
from indexing.typed_json import made

T = TypeVar("T")
FOLDER = "shown"  # below places.runs()
log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class KeptResult:
    """The figures of one result, as its page shows them."""

    about: str
    """Index, split, queries, depth and build that it is of."""
    columns: Mapping[str, Sequence[Any]]
    """Its table; empty for none."""
    sentences: tuple[str, ...]
    measured: str = ""
    """When, as a date and time; added as it is kept."""


@dataclass(frozen=True)
class KeptWhole(Generic[T]):
    """A result with all that its page draws."""

    result: T
    measured: str
    """When, as a date and time."""


def keep_result(name: str, result: KeptResult) -> None:
    """Keep it as the last of its name; where the disk refuses, that is only logged."""
    order = list(result.columns)  # which the file's own sorting would lose
    _write(name, {**asdict(result), "order": order, "measured": _now()})


def keep_whole(name: str, result: Any) -> None:
    """Keep a dataclass of plain values as the last of its name; where the disk refuses, that is only logged."""
    values = asdict(result)
    _write(name, {"measured": _now(), "result": values, "checksum": _checksum(values)})


def read_whole(name: str, kind: type[T]) -> KeptWhole[T] | None:
    """What `keep_whole` kept last by this name; None where nothing was, or the file isn't as it was written."""
    try:
        stat = _path(name).stat()
    except OSError:
        return None
    return _read_whole(str(_path(name)), f"{stat.st_mtime_ns} {stat.st_size} {stat.st_ino}", kind)


@st.cache_resource(max_entries=4, show_spinner=False)
def _read_whole(path: str, state: str, _kind: type[T]) -> KeptWhole[T] | None:
    """`state` changes with the file, which is read once."""
    del state
    try:
        values = json.loads(Path(path).read_text(encoding="utf-8"))
        if values["checksum"] != _checksum(values["result"]):
            raise ValueError("its checksum differs")
        return KeptWhole(made(_kind, values["result"], path), str(values["measured"]))
    except (OSError, ValueError, TypeError, LookupError, RecursionError, SecondLookError) as error:
        log.warning("%s can't be shown (%s).", path, error)
        return None


def _checksum(values: Any) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")


def _write(name: str, values: Mapping[str, Any]) -> None:
    try:
        atomic.write_text(_path(name), json.dumps(values, ensure_ascii=False) + "\n")
    except (OSError, SecondLookError) as error:
        log.warning("What was measured isn't kept for the next visit: %s", error)


def read_result(name: str) -> KeptResult | None:
    """What was kept last by this name; None where nothing was, or it can't be read."""
    try:
        values = json.loads(_path(name).read_text(encoding="utf-8"))
        columns = {str(key): list(values["columns"][key]) for key in values.get("order", values["columns"])}
        if len({len(column) for column in columns.values()}) > 1:
            raise ValueError("columns of different lengths")
        return KeptResult(
            about=str(values["about"]),
            columns=columns,
            sentences=tuple(map(str, values["sentences"])),
            measured=str(values["measured"]),
        )
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        log.warning("%s can't be shown (%s).", _path(name), error)
        return None


def show_result(result: KeptResult, *, key: str, title: str, advice: str) -> None:
    """Show it with what it is of; `advice` says what can be done for more."""
    st.html(heading_html(title, f"{result.about}; measured {result.measured}"))
    if result.columns:
        measures = [name for name, column in result.columns.items() if any(isinstance(one, float) for one in column)]
        config = {name: st.column_config.NumberColumn(format="%.4f") for name in measures}
        st.dataframe(dict(result.columns), hide_index=True, column_config=config, key=key)
    note(*result.sentences, advice)


def _path(name: str) -> Path:
    return places.runs() / FOLDER / f"{name}.json"
