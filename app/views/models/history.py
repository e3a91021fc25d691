"""The history of promotions and rollbacks."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from app.views.widgets.notices import hint, problem
from indexing.errors import SecondLookError
from indexing.notes import counted
from training.versions import promoted
from training.versions.promoted import Promotion

ACTIONS = {"promote": "promoted", "force": "promoted against an objection", "rollback": "rolled back"}


def show_history() -> None:
    """Show every promotion and rollback, the newest first."""
    try:
        rows = promoted.history()
    except SecondLookError as error:
        problem(error)
        return
    if not rows:
        hint("No version has been promoted yet: the re-ranker that ships with the program is served.")
        return
    st.dataframe(history_columns(rows), hide_index=True, key="models_history")


def history_columns(rows: Sequence[Promotion]) -> dict[str, list[str]]:
    """The table's columns, a row for each promotion or rollback."""
    newest = list(reversed(rows))
    return {
        "when": [row.at[:16].replace("T", " ") for row in newest],
        "action": [action_words(row) for row in newest],
        "served": [row.promoted for row in newest],
        "replaced": [row.before for row in newest],
        "by": [row.by for row in newest],
        "reason": [row.reason for row in newest],
        "gate": [gate_words(row.verdict) for row in newest],
    }


def action_words(row: Promotion) -> str:
    """What was done, as the pages call it."""
    return ACTIONS.get(row.action, row.action)


def gate_words(verdict: Mapping[str, Any]) -> str:
    """A recorded verdict in a few words, with the queries that it rests on; empty where none was recorded."""
    comparison = verdict.get("comparison")
    parts = []
    if isinstance(comparison, dict) and isinstance(comparison.get("difference"), float):
        figure = f"{comparison.get('measure')} {comparison['difference']:+.4f}, {comparison.get('outcome')}"
        queries, dev_set = comparison.get("queries"), verdict.get("dev_set")
        counts = [counted(queries, "query", "queries")] if isinstance(queries, int) else []
        parts.append(", ".join([figure, *counts, *([dev_set] if isinstance(dev_set, str) else [])]))
    failed, total = verdict.get("failed"), verdict.get("expectations")
    if isinstance(failed, list | tuple) and total:
        parts.append(f"{len(failed)} of {total} expectations failed")
    return "; ".join(parts)
