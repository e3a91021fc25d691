"""The history of promotions."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from app.views.widgets.notices import hint, problem
from indexing.errors import SecondLookError
from training.versions import promoted
from training.versions.promoted import Promotion


def show_history() -> None:
    """Every promotion and rollback, the newest first."""
    try:
        rows = promoted.history()
    except SecondLookError as error:
        problem(error)
        return
    if not rows:
        hint("Nothing was promoted yet: the re-ranker that comes with the program is served.")
        return
    st.dataframe(history_columns(rows), hide_index=True, key="models_history")


def history_columns(rows: Sequence[Promotion]) -> dict[str, list[str]]:
    """The table's columns, one row a promotion or rollback."""
    newest = list(reversed(rows))
    return {
        "when": [row.at[:16].replace("T", " ") for row in newest],
        "what": [row.action for row in newest],
        "served": [row.promoted for row in newest],
        "before it": [row.before for row in newest],
        "by": [row.by for row in newest],
        "reason": [row.reason for row in newest],
        "the gate": [gate_words(row.verdict) for row in newest],
    }


def gate_words(verdict: Mapping[str, Any]) -> str:
    """A recorded verdict in a few words; empty where there was none."""
    compared = verdict.get("comparison")
    parts = []
    if isinstance(compared, dict) and isinstance(compared.get("difference"), float):
        parts.append(f"{compared.get('measure')} {compared['difference']:+.4f}, {compared.get('outcome')}")
    failed, tried = verdict.get("failed"), verdict.get("expectations")
    if isinstance(failed, list | tuple) and tried:
        parts.append(f"{len(failed)} of {tried} expectations failed")
    return "; ".join(parts)
