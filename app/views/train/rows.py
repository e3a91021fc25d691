"""Rows of training data, and counts of what was left out, in readable form. All texts are data and are escaped."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import streamlit as st

from app.views.widgets.notices import note
from training.recipes.row_counts import RowCounts

STYLE = """
<style>
.sl-row { border-top: 1px solid var(--sl-line); padding: .55rem 0; font-size: .88rem; overflow-wrap: anywhere; }
.sl-row ul { list-style: none; margin: .25rem 0 0; padding: 0; }
.sl-row li { margin: 0; padding: .12rem 0; font-size: .85rem; display: flex; gap: .6rem; }
.sl-row li b { min-width: 3.6rem; text-align: right; font-variant-numeric: tabular-nums; font-weight: 600; }
</style>
"""
TEXT_LENGTH = 300  # characters of a passage


def show_rows(rows: Sequence[Mapping[str, Any]], counts: RowCounts) -> None:
    """Show where the rows come from, and the first rows with their passages and labels or scores."""
    note(*counts_sentences(counts))
    st.html(STYLE + "".join(row_html(row) for row in rows))


def counts_sentences(counts: RowCounts) -> list[str]:
    """How many examples each source gave, and how many each rule left out."""
    used = ", ".join(f"{count:,} of {source}" for source, count in counts.examples.items())
    left_out = ", ".join(f"{count:,} {reason}" for reason, count in counts.dropped.items() if count)
    return [
        f"{counts.rows:,} rows with {counts.pairs:,} (query, passage) pairs, from {used or 'nothing'}.",
        f"Left out: {left_out or 'nothing'}.",
    ]


def row_html(row: Mapping[str, Any]) -> str:
    """A query with its passages, each after its label, score or role."""
    lines = "".join(
        f"<li><b>{escape(word)}</b><span>{escape(_shortened(text))}</span></li>" for word, text in passages_of(row)
    )
    margin = f" <small>margin {row['label']:.3f}</small>" if "negative" in row and "label" in row else ""
    return f'<div class="sl-row"><b>{escape(row["query"])}</b>{margin}<ul>{lines}</ul></div>'


def _shortened(text: str) -> str:
    return f"{text[:TEXT_LENGTH]}…" if len(text) > TEXT_LENGTH else text


def passages_of(row: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Each passage of a row of any form, with its label or score, or its role: positive or negative."""
    if "passages" in row:
        return [(f"{label:.3g}", text) for label, text in zip(row["labels"], row["passages"], strict=True)]
    if "passage" in row:
        return [(f"{row['label']:.3g}", row["passage"])]
    return [(name.partition("_")[0], text) for name, text in row.items() if name.startswith(("positive", "negative"))]
