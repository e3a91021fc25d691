"""The Train page: the training that runs or has just ended, the form for a new one, and all earlier ones."""

import streamlit as st

from app.login import user_name
from app.views.train.ended import dismiss, latest_ended
from app.views.train.form import show_form
from app.views.train.history import show_history
from app.views.train.live import show_job
from app.views.widgets.notices import hint
from training.jobs.jobs import TrainingJob

TITLE = '<header class="sl-top"><h1>Train</h1><p>Train a re-ranker on judgments.</p></header>'
READ_ONLY = "This app is read-only and starts no training. Start your own copy to train a re-ranker."
JOB_PARAMETER = "job"  # of the link


def render(*, read_only: bool = False) -> None:
    """Draw the page; `read_only` shows only the list of trainings."""
    st.html(TITLE)
    all_jobs = TrainingJob.all()
    if read_only:
        hint(READ_ONLY)
        show_history(all_jobs, choose=None)
        return
    chosen = _chosen(all_jobs)
    if chosen is not None:
        show_job(chosen, on_dismiss=_dismiss)
    show_form(on_start=_choose)
    show_history(all_jobs, choose=_choose, broken=TrainingJob.broken())


def _chosen(all_jobs: list[TrainingJob]) -> TrainingJob | None:
    """The job that the link names, else the running one, else the one that ended while the user was away.

    It is added to the link, so that it stays shown.
    """
    named = st.query_params.get(JOB_PARAMETER)
    chosen = next((job for job in all_jobs if job.name == named), None)
    chosen = chosen or next((job for job in all_jobs if job.alive), None)
    chosen = chosen or latest_ended(all_jobs, user=user_name())
    if chosen is not None:
        _choose(chosen.name)
    return chosen


def _dismiss(job: TrainingJob) -> None:
    """Show this job no more."""
    dismiss(job, user=user_name())
    st.query_params.pop(JOB_PARAMETER, None)


def _choose(name: str) -> None:
    """Show this job from now on."""
    st.query_params[JOB_PARAMETER] = name
