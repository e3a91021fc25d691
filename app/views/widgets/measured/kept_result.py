"""What a page showed last, kept on disk so that it is there on arrival, with what it is of and when it was measured."""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import streamlit as st

from app.views.widgets.figures import heading_html
from app.views.widgets.notices import note
from indexing import atomic, places
from indexing.errors import SecondLookError

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


def keep_result(name: str, result: KeptResult) -> None:
    """Keep it as the last of its name; where the disk refuses, that is only logged."""
    when = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    path = _path(name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        order = list(result.columns)  # which the file's own sorting would lose
        atomic.write_json(path, {**asdict(result), "order": order, "measured": when})
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
