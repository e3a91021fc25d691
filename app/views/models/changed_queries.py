"""The dev queries that a candidate changes most, with what it and the served version put first, side by side."""

from collections.abc import Sequence
from html import escape

import streamlit as st

from app.views.widgets.figures import change_html, heading_html
from app.views.widgets.passage.judgment import grade_word
from training.versions.changed_queries import ChangedQuery, PlacedPassage, QueryChanges

SHOWN = 240  # characters of a passage
STYLE = """
<style>
.sl-changed { margin: 0 0 1.1rem; }
.sl-changed h3 { font-size: .95rem; font-weight: 600; margin: 0; padding: 0 0 .4rem; overflow-wrap: anywhere; }
.sl-changed h3 small { font-weight: 400; font-size: .86rem; margin-left: .5rem; }
.sl-sides { display: grid; grid-template-columns: 1fr 1fr; gap: .7rem 1.1rem; }
.sl-side { background: var(--sl-card); border: 1px solid var(--sl-line); border-radius: .6rem; padding: .6rem .9rem; }
.sl-side > p { font-size: .82rem; color: var(--sl-quiet); margin: 0 0 .3rem; }
.sl-side ol { margin: 0; padding-left: 1.2rem; font-size: .88rem; line-height: 1.45; overflow-wrap: anywhere; }
.sl-side li { margin: 0 0 .35rem; }
@media (max-width: 760px) { .sl-sides { grid-template-columns: 1fr; } }
</style>
"""


def show_changed_queries(changes: QueryChanges, *, measure: str, served: str, candidate: str) -> None:
    """Show those that lose most, then those that gain most; nothing where no query changed."""
    wins, losses, _ = changes.outcomes
    for title, verb, changed, count in (
        ("What became worse", "lose", changes.lost, losses),
        ("What became better", "gain", changes.gained, wins),
    ):
        if changed:
            shown = f"; {len(changed)} of {count:,}" if count > len(changed) else ""
            about = f"the dev queries that {verb} most by {measure}, with what each version puts first{shown}"
            st.html(heading_html(title, about))
            st.html(STYLE + changed_html(changed, served=served, candidate=candidate))


def changed_html(changed: Sequence[ChangedQuery], *, served: str, candidate: str) -> str:
    """Each query with both lists; all texts are data and are escaped."""
    return "".join(
        f'<section class="sl-changed"><h3>{escape(one.query)} <small>{change_html(one.before, one.after)}</small></h3>'
        f'<div class="sl-sides">{_side(served, one.served)}{_side(candidate, one.candidate)}</div></section>'
        for one in changed
    )


def _side(version: str, passages: Sequence[PlacedPassage]) -> str:
    return f'<div class="sl-side"><p>{escape(version)}</p><ol>{"".join(map(_passage, passages))}</ol></div>'


def _passage(passage: PlacedPassage) -> str:
    word, style = grade_word(passage.grade)
    text = passage.text if len(passage.text) <= SHOWN else f"{passage.text[:SHOWN]}…"
    return f'<li><span class="sl-badge sl-grade-{style}">{word}</span> {escape(text)}</li>'
