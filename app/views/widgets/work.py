"""The progress of background work: redrawn every second while it runs, with a button that stops it."""

from typing import Any

import streamlit as st

from app.background import BackgroundJob
from app.views.widgets.notices import hint, plain, problem

WAITING = "Waiting for other work to finish …"
STARTING = "Loading …"
STOPPED = "Stopped; no results were kept. You can start it again at any time."


def show_work(job: BackgroundJob[Any], *, key: str) -> bool:
    """Show the progress bar or how the work ended; True once there is a result to show."""
    if not job.over:
        st.fragment(_bar, run_every=1)(job, key)
    elif job.state == "failed":
        problem(job.problem)
    elif job.state == "stopped":
        hint(STOPPED)
    return job.state == "done"


def progress_text(job: BackgroundJob[Any]) -> str:
    """The phase, and how many of its queries are done."""
    phase, count, total = job.progress.phase, job.progress.count, job.progress.total
    if job.stopping:
        return "Stopping after the current query …"
    if job.state == "waiting":
        return WAITING
    if not total:
        return STARTING
    suffix = "; computing the measures" if count == total else ""
    return f"{phase}: {count:,} of {total:,} queries{suffix}"


def _bar(job: BackgroundJob[Any], key: str) -> None:
    if job.over:
        st.rerun()  # the whole page: its result can be shown now
    share = job.progress.count / job.progress.total if job.progress.total else 0.0
    st.progress(min(share, 1.0), text=plain(progress_text(job)))
    st.button(
        "Stop",
        key=f"{key}_stop",
        icon=":material/stop:",
        on_click=job.stop,
        disabled=job.stopping,
        width="content",
        help="You can also leave this page: the work continues, and the result will be here when you return.",
    )
