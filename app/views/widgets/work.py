"""The progress of background work: redrawn every second while it runs, with a button that stops it."""

from pathlib import Path
from typing import Any

import streamlit as st

from app.background import BackgroundJob, Subject, work_ahead
from app.views.widgets.figures import duration_text
from app.views.widgets.notices import hint, plain, problem

VIEWS = Path(__file__).parents[1]
STARTING = "Loading …"
STOPPED = "Stopped; no results were kept. You can start it again at any time."


def page_link(subject: Subject, *, label: str) -> None:
    """A link to the page that shows a piece of work, if it has one."""
    st.page_link(
        str(VIEWS / subject.page / "page.py"),
        label=plain(label),
        query_params=dict(subject.parameters),
        width="content",
    )


def link_ahead(job: BackgroundJob[Any]) -> None:
    """A link to what a waiting piece of work waits for; nothing where it doesn't wait."""
    ahead = work_ahead() if job.state == "waiting" else None
    if ahead is not None and ahead.subject.page:
        page_link(ahead.subject, label=f"Show {ahead.subject.title}")


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
    """The phase, how many of its queries (or what else it counts) are done, and how long the rest of them will take."""
    phase, count, total = job.progress.phase, job.progress.count, job.progress.total
    if job.stopping:
        return "Stopping after the current query …"
    if job.state == "waiting":
        ahead = work_ahead()
        return f"Waiting for {ahead.subject.title if ahead else 'other work'} to finish …"
    if not total:
        return STARTING
    if count >= total:
        return f"{phase}: all {total:,} {job.subject.unit} done; computing what follows …"
    left = "" if job.seconds_left is None else f", about {duration_text(job.seconds_left)} left of this part"
    return f"{phase}: {count:,} of {total:,} {job.subject.unit}{left}"


def progress_share(job: BackgroundJob[Any]) -> float | None:
    """The share of this phase that is done; None while it is unknown or the phase has just ended."""
    count, total = job.progress.count, job.progress.total
    return count / total if job.state == "running" and 0 < count < total else None


def _bar(job: BackgroundJob[Any], key: str) -> None:
    if job.over:
        st.rerun()  # the whole page: its result can be shown now
    st.progress(progress_share(job) or 0.0, text=plain(progress_text(job)))
    link_ahead(job)
    st.button(
        "Stop",
        key=f"{key}_stop",
        icon=":material/stop:",
        on_click=job.stop,
        disabled=job.stopping,
        width="content",
        help="You can also leave this page: the work continues, and the result will be here when you return.",
    )
