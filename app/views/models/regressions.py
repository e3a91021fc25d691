"""The dev queries that a candidate answers worst, with what it and the served version put first, side by side."""

from collections.abc import Sequence
from html import escape

import streamlit as st

from app.views.widgets.figures import change_html, heading_html
from training.versions.promote import Assessment
from training.versions.regressions import PlacedPassage, Regression

SHOWN = 240  # characters of a passage
STYLE = """
<style>
.sl-lost { margin: 0 0 1.1rem; }
.sl-lost h3 { font-size: .95rem; font-weight: 600; margin: 0; padding: 0 0 .4rem; overflow-wrap: anywhere; }
.sl-lost h3 small { font-weight: 400; font-size: .86rem; margin-left: .5rem; }
.sl-sides { display: grid; grid-template-columns: 1fr 1fr; gap: .7rem 1.1rem; }
.sl-side { background: var(--sl-card); border: 1px solid var(--sl-line); border-radius: .6rem; padding: .6rem .9rem; }
.sl-side > p { font-size: .82rem; color: var(--sl-quiet); margin: 0 0 .3rem; }
.sl-side ol { margin: 0; padding-left: 1.2rem; font-size: .88rem; line-height: 1.45; overflow-wrap: anywhere; }
.sl-side li { margin: 0 0 .35rem; }
@media (max-width: 760px) { .sl-sides { grid-template-columns: 1fr; } }
</style>
"""


def show_regressions(assessment: Assessment) -> None:
    """Show them below each other; nothing where no query became worse."""
    if not assessment.regressions:
        return
    verdict = assessment.verdict
    measure = verdict.comparison.measure if verdict.comparison is not None else ""
    st.html(
        heading_html(
            "What became worse", f"the dev queries that lose most by {measure}, with what each version puts first"
        )
    )
    st.html(STYLE + regressions_html(assessment.regressions, promoted=verdict.against, candidate=verdict.candidate))


def regressions_html(regressions: Sequence[Regression], *, promoted: str, candidate: str) -> str:
    """Each query with both lists; all texts are data and are escaped."""
    return "".join(
        f'<section class="sl-lost"><h3>{escape(one.query)} <small>{change_html(one.before, one.after)}</small></h3>'
        f'<div class="sl-sides">{_side(promoted, one.promoted)}{_side(candidate, one.candidate)}</div></section>'
        for one in regressions
    )


def _side(version: str, passages: Sequence[PlacedPassage]) -> str:
    return f'<div class="sl-side"><p>{escape(version)}</p><ol>{"".join(map(_passage, passages))}</ol></div>'


def _passage(passage: PlacedPassage) -> str:
    style = "none" if passage.grade is None else str(min(max(passage.grade, 0), 3))
    words = "not judged" if passage.grade is None else f"grade {passage.grade}"
    text = passage.text if len(passage.text) <= SHOWN else f"{passage.text[:SHOWN]}…"
    return f'<li><span class="sl-badge sl-grade-{style}">{words}</span> {escape(text)}</li>'
