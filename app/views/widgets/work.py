"""How far work in the background is: drawn anew every second while it goes on, with a button that stops it."""

from typing import Any

import streamlit as st

from app.background import Job
from app.views.widgets.notices import hint, plain, problem

WAITING = "Waiting for other work to end …"
STARTING = "Loading …"
STOPPED = "It was stopped; nothing of it is kept. Start it again when you like."


def show_work(job: Job[Any], *, key: str) -> bool:
    """The bar, or how it ended; True once there is a result to show."""
    if not job.over:
        st.fragment(_bar, run_every=1)(job, key)
    elif job.state == "failed":
        problem(job.problem)
    elif job.state == "stopped":
        hint(STOPPED)
    return job.state == "done"


def progress_text(job: Job[Any]) -> str:
    """Phase and queries."""
    phase, count, total = job.progress.phase, job.progress.count, job.progress.total
    if job.stopping:
        return "Stopping after this query …"
    if job.state == "waiting":
        return WAITING
    if not total:
        return STARTING
    more = "; then the measures" if count == total else ""
    return f"{phase}: {count:,} of {total:,} queries{more}"


def _bar(job: Job[Any], key: str) -> None:
    if job.over:
        st.rerun()  # the whole page: there is something to show, and nothing is left to watch
    share = job.progress.count / job.progress.total if job.progress.total else 0.0
    st.progress(min(share, 1.0), text=plain(progress_text(job)))
    st.button(
        "Stop",
        key=f"{key}_stop",
        icon=":material/stop:",
        on_click=job.stop,
        disabled=job.stopping,
        width="content",
        help="You may also leave this page: the work goes on, and its result is here when you come back.",
    )
