"""Figures as the pages show them: rows of named values, changes, intervals, p-values, sizes and times."""

from collections.abc import Iterable
from html import escape
from typing import NamedTuple

from training.evaluation.significance import Interval

VISIBLE_CHANGE = 0.0005  # a smaller change rounds to 0 at three decimals


class Figure(NamedTuple):
    """A named value."""

    name: str
    value: str
    hint: str = ""
    """Shown while the pointer rests on it."""
    is_html: bool = False
    """Whether the value is HTML already; otherwise it is escaped."""
    wide: bool = False
    """Whether it may take the room of several."""


def figures_html(figures: Iterable[Figure]) -> str:
    """One row of figures, each with its name above its value."""
    return f'<div class="sl-figures">{"".join(map(_figure_html, figures))}</div>'


def _figure_html(figure: Figure) -> str:
    hint = f' title="{escape(figure.hint)}"' if figure.hint else ""
    value = figure.value if figure.is_html else escape(figure.value)
    style = "sl-figure sl-wide" if figure.wide else "sl-figure"
    return f'<span class="{style}"{hint}><small>{escape(figure.name)}</small><b>{value}</b></span>'


def heading_html(title: str, note: str = "") -> str:
    """A section's heading with a quiet note beside it."""
    return f'<h2 class="sl-heading">{escape(title)} <small>{escape(note)}</small></h2>'


def size_text(size: float) -> str:
    """A number of bytes with its unit."""
    for unit, least in (("GB", 1e9), ("MB", 1e6)):
        if size >= least:
            return f"{size / least:,.1f} {unit}"
    return f"{size / 1e3:,.0f} kB"


def duration_text(seconds: float) -> str:
    """A duration with its unit."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def interval_text(interval: Interval, *, signed: bool = False) -> str:
    """An interval as `low to high`."""
    low, high = (f"{value:+.3f}" if signed else f"{value:.3f}" for value in interval)
    return f"{low} to {high}"


def p_text(value: float) -> str:
    """A p-value to four decimals."""
    return "< 0.0001" if value < 0.0001 else f"{value:.4f}"


def change_html(before: float, after: float) -> str:
    """Two values of a measure, and by how much the second is higher or lower."""
    gain = after - before
    sign, style = ("▲", "up") if gain > VISIBLE_CHANGE else ("▼", "down") if gain < -VISIBLE_CHANGE else ("·", "same")
    change = f"{sign}{abs(gain):.3f}" if sign != "·" else sign
    return f'{before:.3f} → {after:.3f} <span class="sl-move sl-{style}">{change}</span>'
