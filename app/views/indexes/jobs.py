"""Builds and estimates that are going on or have ended; it reads their folders, and holds nothing itself."""

from dataclasses import replace
from html import escape
from pathlib import Path

import streamlit as st

from app.views.indexes.figures import estimate_figures
from app.views.indexes.form import begin
from app.views.widgets.figures import figures_html, span_text
from app.views.widgets.notices import hint, plain, problem
from indexing.errors import SecondLookError
from indexing.jobs import build_job
from indexing.jobs.build_job import Job
from indexing.jobs.folder import log_end

CRASHED = (
    "Its process ended without a word: it was killed, the machine was restarted, or memory ran out. "
    "What it had finished is kept; it can go on from there."
)
PHASES = {
    "fetch": "Fetching from the hub",
    "encode": "Encoding passages",
    "ids": "Writing the table of ids",
    "bm25": "Making the BM25 index",
    "dense": "Making the FAISS index",
    "recall": "Measuring recall",
}


def show_jobs(root: Path) -> None:
    """The jobs of the indexes below `root`; drawn anew every second while one is going on."""
    found = _jobs(root)
    alive = frozenset(job.folder.name for job in found if job.alive)
    if found:
        st.fragment(_cards, run_every=1 if alive else None)(root, alive)


def _jobs(root: Path) -> list[Job]:
    return [job for job in build_job.jobs() if Path(job.config.root).absolute() == root.absolute()]


def _cards(root: Path, alive: frozenset[str]) -> None:
    found = _jobs(root)
    if {job.folder.name for job in found if job.alive} != alive:
        st.rerun()  # the whole page: the list of indexes may have changed, and nothing may be left to watch
    for job in found:
        with st.container(border=True, key=f"indexes_job_{job.folder.name}"):
            _card(job)


def _card(job: Job) -> None:
    task = "Build of" if job.config.task == "build" else "Estimate for"
    origin = f"from {job.config.corpus}"
    st.html(f'<h3 class="sl-heading">{task} {escape(job.config.name)} <small>{escape(origin)}</small></h3>')
    if job.alive:
        _running(job)
        return
    _ended(job)
    with st.container(horizontal=True, gap="small"):
        _next_step(job)
        st.button("Dismiss", key=_key("dismiss", job), on_click=build_job.forget, args=(job.folder,), width="content")


def _running(job: Job) -> None:
    status = job.status
    share = min(status.done / status.total, 1.0) if status.total else 0.0
    st.progress(share, text=plain(_progress_text(job)))
    label = "Stop at once" if job.state == "stopping" else "Stop"
    st.button(
        label,
        key=_key("stop", job),
        icon=":material/stop:",
        on_click=build_job.stop,
        args=(job.folder,),
        width="content",
        help="What is finished is kept, and a later start goes on from there.",
    )


def _progress_text(job: Job) -> str:
    """Phase, passages, rate and time left, as far as they are known."""
    status = job.status
    if job.state == "stopping":
        return "Stopping at the next point where that is possible …"
    if not status.phase:
        return "Measuring a sample …" if job.config.task == "estimate" else "Loading, and reading passages …"
    of = f" of {status.total:,}" if status.total else ""
    parts = [f"{PHASES.get(status.phase, status.phase)}: {status.done:,}{of}"]
    if status.rate:
        parts.append(f"{status.rate:,.0f} a second")
    if status.seconds_left is not None:
        parts.append(f"about {span_text(status.seconds_left)} left")
    return ", ".join(parts)


def _ended(job: Job) -> None:
    sentence = job.status.sentence
    if job.state == "done" and job.status.estimate:
        st.html(figures_html(estimate_figures(job.status.estimate)))
    elif job.state == "done":
        st.success(plain(sentence), icon=":material/check:")
    elif job.state == "stopped":
        hint(sentence or "Stopped. The index in use is as it was; finished shards are kept.")
    else:
        problem(sentence if job.state == "failed" else CRASHED)
        if log := log_end(job.folder):
            with st.expander("The log's end", key=_key("log", job)):
                st.code(log, language=None, wrap_lines=True)


def _next_step(job: Job) -> None:
    """Start what was estimated, or go on with what hasn't come to its end."""
    if job.state != "done":
        if st.button("Go on", key=_key("resume", job), icon=":material/play_arrow:", width="content"):
            _resume(job)
    elif job.config.task == "estimate" and st.button(
        "Build", key=_key("build", job), type="primary", icon=":material/build:", width="content"
    ):
        begin(replace(job.config, task="build"))


def _resume(job: Job) -> None:
    try:
        build_job.launch(job.folder)
    except (SecondLookError, OSError) as error:
        problem(error)
        return
    st.rerun()


def _key(what: str, job: Job) -> str:
    return f"indexes_{what}_{job.folder.name}"
