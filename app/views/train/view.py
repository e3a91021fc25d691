"""The Train page: what to train on and how, how far a training is, and what came of earlier ones."""

import streamlit as st

from app.views.train.form import show_form
from app.views.train.history import show_list
from app.views.train.live import show_job
from app.views.widgets.notices import hint
from app.views.widgets.style import apply_style
from training.jobs import jobs
from training.jobs.jobs import Job

TITLE = '<header class="sl-top"><h1>Train</h1><p>Make a re-ranker from judgments.</p></header>'
READ_ONLY = "This page is for reading only here, so no training begins. Start the app yourself to train a re-ranker."
JOB = "job"  # the link's parameter


def render(*, read_only: bool = False) -> None:
    """Draw the page; `read_only` leaves the list of trainings alone."""
    apply_style()
    st.html(TITLE)
    found = jobs.jobs()
    if read_only:
        hint(READ_ONLY)
        show_list(found, choose=None)
        return
    chosen = _chosen(found)
    if chosen is not None:
        show_job(chosen)
    show_form(begun=_choose)
    show_list(found, choose=_choose)


def _chosen(found: list[Job]) -> Job | None:
    """The job that the link names, else the one that is going on; the link names that too, for when it has ended."""
    named = st.query_params.get(JOB)
    chosen = next((job for job in found if job.name == named), None) or next((job for job in found if job.alive), None)
    if chosen is not None:
        _choose(chosen.name)
    return chosen


def _choose(name: str) -> None:
    """Show this job from now on."""
    st.query_params[JOB] = name
