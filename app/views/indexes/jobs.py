"""Builds and estimates, running or ended. Everything is read from their folders; nothing is kept here."""

from dataclasses import replace
from pathlib import Path

import streamlit as st

from app.views.indexes.cards import SEARCH_PAGE
from app.views.indexes.figures import estimate_figures
from app.views.indexes.form import start_and_redraw
from app.views.widgets.figures import figures_html, heading_html
from app.views.widgets.job_progress import build_share, build_text
from app.views.widgets.notices import hint, plain, problem
from indexing.errors import SecondLookError
from indexing.jobs.build_job import BuildJob
from indexing.jobs.folder import log_end

CRASHED = (
    "The process ended unexpectedly: it was killed, the machine restarted, or memory ran out. "
    "Finished parts were kept, so it can be resumed."
)


def show_jobs(root: Path) -> None:
    """Show the jobs of the indexes below `root`; they are redrawn every second while one is running."""
    jobs = _jobs(root)
    alive = frozenset(job.folder.name for job in jobs if job.alive)
    if jobs:
        st.fragment(_cards, run_every=1 if alive else None)(root, alive)


def _jobs(root: Path) -> list[BuildJob]:
    return [job for job in BuildJob.all() if Path(job.request.root).absolute() == root.absolute()]


def _cards(root: Path, alive: frozenset[str]) -> None:
    jobs = _jobs(root)
    if {job.folder.name for job in jobs if job.alive} != alive:
        st.rerun()  # the whole page: the list of indexes may have changed
    for job in jobs:
        with st.container(border=True, key=f"indexes_job_{job.folder.name}"):
            _card(job)


def _card(job: BuildJob) -> None:
    task = "Build of" if job.request.task == "build" else "Estimate for"
    st.html(heading_html(f"{task} {job.request.name}", f"from {job.request.corpus}"))
    if job.alive:
        _running(job)
        return
    _ended(job)
    with st.container(horizontal=True, gap="small"):
        _next_step(job)
        st.button("Dismiss", key=_key("dismiss", job), on_click=job.forget, width="content")


def _running(job: BuildJob) -> None:
    st.progress(build_share(job), text=plain(build_text(job)))
    label = "Stop now" if job.state == "stopping" else "Stop"
    st.button(
        label,
        key=_key("stop", job),
        icon=":material/stop:",
        on_click=job.stop,
        width="content",
        help="Finished parts are kept, and the build can be resumed from there.",
    )


def _ended(job: BuildJob) -> None:
    sentence = job.status.sentence
    if job.state == "done" and job.status.estimate:
        st.html(figures_html(estimate_figures(job.status.estimate)))
    elif job.state == "done":
        st.success(plain(sentence), icon=":material/check:")
    elif job.state == "stopped":
        hint(sentence or "Stopped. The index in use is unchanged, and finished shards were kept.")
    else:
        problem(sentence if job.state == "failed" else CRASHED)
        if log := log_end(job.folder):
            with st.expander("End of the log", key=_key("log", job)):
                st.code(log, language=None, wrap_lines=True)


def _next_step(job: BuildJob) -> None:
    """Offer to search what was built, to build what was estimated, or to resume what was interrupted."""
    if job.state != "done":
        if st.button("Resume", key=_key("resume", job), icon=":material/play_arrow:", width="content"):
            _resume(job)
    elif job.request.task == "build":
        if st.button("Search it", key=_key("search", job), type="primary", icon=":material/search:", width="content"):
            st.switch_page(SEARCH_PAGE, query_params={"index": job.request.name})
    elif st.button("Build", key=_key("build", job), type="primary", icon=":material/build:", width="content"):
        start_and_redraw(replace(job.request, task="build"))


def _resume(job: BuildJob) -> None:
    try:
        job.resume()
    except (SecondLookError, OSError) as error:
        problem(error)
        return
    st.rerun()


def _key(what: str, job: BuildJob) -> str:
    return f"indexes_{what}_{job.folder.name}"
