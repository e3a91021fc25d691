"""Rows that a training learns from, and what was left out, as a person can read them; all texts are data."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import streamlit as st

from app.views.widgets.notices import note
from training.recipes.row_files import RowCounts

STYLE = """
<style>
.sl-row { border-top: 1px solid var(--sl-line); padding: .55rem 0; font-size: .88rem; overflow-wrap: anywhere; }
.sl-row ul { list-style: none; margin: .25rem 0 0; padding: 0; }
.sl-row li { margin: 0; padding: .12rem 0; font-size: .85rem; display: flex; gap: .6rem; }
.sl-row li b { min-width: 3.6rem; text-align: right; font-variant-numeric: tabular-nums; font-weight: 600; }
</style>
"""
SHOWN = 300  # characters of a passage


def show_rows(rows: Sequence[Mapping[str, Any]], counts: RowCounts) -> None:
    """What the rows were made of, and each of the first ones with its passages and their labels or scores."""
    note(*counts_sentences(counts))
    st.html(STYLE + "".join(row_html(row) for row in rows))


def counts_sentences(counts: RowCounts) -> list[str]:
    """Examples by source, and what each rule dropped."""
    used = ", ".join(f"{count:,} of {source}" for source, count in counts.examples.items())
    left_out = ", ".join(f"{count:,} {reason}" for reason, count in counts.dropped.items() if count)
    return [
        f"{counts.rows:,} rows with {counts.pairs:,} (query, passage) pairs, from {used or 'nothing'}.",
        f"Left out: {left_out or 'nothing'}.",
    ]


def row_html(row: Mapping[str, Any]) -> str:
    """A query with its passages, each behind what the row says of it."""
    lines = "".join(
        f"<li><b>{escape(word)}</b><span>{escape(text[:SHOWN])}{'…' if len(text) > SHOWN else ''}</span></li>"
        for word, text in passages_of(row)
    )
    margin = f" <small>margin {row['label']:.3f}</small>" if "negative" in row and "label" in row else ""
    return f'<div class="sl-row"><b>{escape(row["query"])}</b>{margin}<ul>{lines}</ul></div>'


def passages_of(row: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Each passage of a row of any form with its label or score, or its part in the row."""
    if "passages" in row:
        return [(f"{label:.3g}", text) for label, text in zip(row["labels"], row["passages"], strict=True)]
    if "passage" in row:
        return [(f"{row['label']:.3g}", row["passage"])]
    return [(name.partition("_")[0], text) for name, text in row.items() if name.startswith(("positive", "negative"))]
