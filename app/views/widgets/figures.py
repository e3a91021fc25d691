"""Figures as the pages write them: rows of numbers, changes, intervals and p-values."""

from collections.abc import Sequence
from html import escape

from training.evaluation.significance import Interval

Figure = tuple[str, str, str]
"""What it is, its value, and what more there is to say of it."""


def size_text(size: float) -> str:
    """Bytes in words."""
    for unit, least in (("GB", 1e9), ("MB", 1e6)):
        if size >= least:
            return f"{size / least:,.1f} {unit}"
    return f"{size / 1e3:,.0f} kB"


def span_text(seconds: float) -> str:
    """Seconds in words."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def figures_html(figures: Sequence[Figure]) -> str:
    """One line of figures."""
    shown = (
        f'<span class="sl-figure" title="{escape(told)}"><small>{escape(name)}</small><b>{escape(value)}</b></span>'
        for name, value, told in figures
    )
    return f'<div class="sl-figures">{"".join(shown)}</div>'


def span(interval: Interval, *, signed: bool = False) -> str:
    """An interval in words."""
    low, high = (f"{value:+.3f}" if signed else f"{value:.3f}" for value in interval)
    return f"{low} to {high}"


def p_text(value: float) -> str:
    """A p value, no more exact than it is worth."""
    return "< 0.0001" if value < 0.0001 else f"{value:.4f}"


def figure(name: str, value: str, *, told: str = "", wide: bool = False) -> str:
    """One figure of the line: its name above its value, which is HTML."""
    title = f' title="{escape(told)}"' if told else ""
    return f'<span class="sl-figure{" sl-wide" if wide else ""}"{title}><small>{name}</small><b>{value}</b></span>'


def change_html(before: float, after: float) -> str:
    """Two values of a measure, and how much the second gains."""
    gain = after - before
    sign, style = ("▲", "up") if gain > 0.0005 else ("▼", "down") if gain < -0.0005 else ("·", "same")
    change = f"{sign}{abs(gain):.3f}" if sign != "·" else sign
    return f'{before:.3f} → {after:.3f} <span class="sl-move sl-{style}">{change}</span>'
