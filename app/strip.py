"""The strip on every page: what runs on this server now, how far it is, a link to its page, and a button to stop it.

It reads what jobs and background work last said of themselves, and starts and opens nothing. It lies over the foot of
the window, so that no page moves when it comes or goes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from html import escape

import streamlit as st

from app.background import BackgroundJob, Subject, running_jobs
from app.views.widgets.figures import duration_text
from app.views.widgets.job_progress import build_share, build_text, training_share, training_text
from app.views.widgets.work import page_link, progress_share, progress_text
from indexing import places
from indexing.jobs.build_job import BuildJob
from indexing.jobs.folder import is_held
from training.jobs.jobs import TrainingJob

EVERY = 1.0  # seconds between two readings while something runs
IDLE = 5.0  # seconds between two looks for work that somebody else began
MOST_SHOWN = 3  # without unfolding the rest
# Above the sidebar, which lies at 999991, and below dialogs.
STYLE = """
<style>
[data-testid="stLayoutWrapper"]:has(> .st-key-strip) { position: fixed; bottom: 0; left: 0; right: 0; z-index: 999992; }
.st-key-strip:has(.sl-work) {
  background: var(--sl-card, Canvas); border-top: 1px solid var(--sl-line, GrayText); padding: .2rem 2.5rem;
  max-height: 60vh; overflow-y: auto;
}
.st-key-strip, .st-key-strip [data-testid="stVerticalBlock"] { gap: 0; }
.st-key-strip_rest details, .st-key-strip_rest [data-testid=stExpanderDetails] { border: 0; padding: 0; }
.st-key-strip_rest summary { padding: .2rem .5rem; min-height: 1.8rem; background: none; }
.st-key-strip [data-testid="stHorizontalBlock"] { flex-wrap: nowrap; align-items: center; gap: .8rem; }
.st-key-strip [data-testid="stElementContainer"]:has(.sl-work) { flex: 1 1 0; min-width: 0; }
.sl-work { display: flex; align-items: center; gap: .8rem; font-size: .86rem; min-width: 0; }
.sl-work span { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; font-variant-numeric: tabular-nums; }
.sl-work progress { flex: 0 0 7rem; width: 7rem; height: .5rem; accent-color: var(--sl-accent, currentColor); }
.stMainBlockContainer { padding-bottom: 9rem; }
.stMain { scroll-padding-bottom: 9rem; }
@media (max-width: 760px) {
  .st-key-strip:has(.sl-work) { padding: .2rem 1rem; }
  .sl-work progress { display: none; }
}
</style>
"""


@dataclass(frozen=True, kw_only=True)
class RunningWork:
    """One piece of work that runs or waits now."""

    key: str
    subject: Subject
    about: str
    """How far it is, in words."""
    share: float
    """What is done of it, from 0 to 1; 0 while that is unknown."""
    stop: Callable[[], None]
    label: str
    """Of the button that stops it."""
    stopping: bool = False
    """Whether it was told to stop and can't be told again."""


def show_strip() -> None:
    """Draw the strip; it is read again every second while something runs, and every five while nothing does."""
    st.html(STYLE)
    st.fragment(_watch, run_every=IDLE)(set())


def running_work() -> list[RunningWork]:
    """Every training and build of this home that runs, and the work of this server, what began last first."""
    folders = sorted((path for path in places.jobs().glob("*") if is_held(path)), reverse=True)
    trainings = [TrainingJob.read(path) for path in folders if path.name.startswith(TrainingJob.PREFIX)]
    builds = [BuildJob.read(path) for path in folders if path.name.startswith(BuildJob.PREFIX)]
    return [
        *(_training(job) for job in trainings if job is not None and job.alive),
        *(_build(job) for job in builds if job is not None and job.alive),
        *(_background(job) for job in running_jobs()),
    ]


def _training(job: TrainingJob) -> RunningWork:
    name, status = "/".join(job.request.output.parts[-2:]), job.status
    timed = job.state == "training" and status.step and status.seconds_left is not None
    left = f" about {duration_text(status.seconds_left or 0.0)} left, not counting evaluations" if timed else ""
    return RunningWork(
        key=job.name,
        subject=Subject(f"the training of {name}", "train", {"job": job.name}),
        about=training_text(job) + left,
        share=training_share(job.status),
        stop=job.stop,
        label="Stop now" if job.state == "stopping" else "Stop",
    )


def _build(job: BuildJob) -> RunningWork:
    task = "build of" if job.request.task == "build" else "estimate for"
    return RunningWork(
        key=job.name,
        subject=Subject(f"the {task} {job.request.name}", "indexes"),
        about=build_text(job),
        share=build_share(job),
        stop=job.stop,
        label="Stop now" if job.state == "stopping" else "Stop",
    )


def _background(job: BackgroundJob[object]) -> RunningWork:
    return RunningWork(
        key=f"work-{id(job)}",
        subject=job.subject,
        about=progress_text(job),
        share=progress_share(job) or 0.0,
        stop=job.stop,
        label="Stop",
        stopping=job.stopping,
    )


def _watch(seen: set[str]) -> None:
    """Draw what runs, if anything does, which then reads on by itself; the page beside it stays as it is."""
    if seen or running_work():
        st.fragment(_draw, run_every=EVERY)(seen)


def _draw(seen: set[str]) -> None:
    """Draw all work, and remember its keys in `seen`, until none is left."""
    works = running_work()
    if seen and not works:
        st.rerun()  # the whole page, once: what has ended can be shown now
    seen.update(work.key for work in works)
    for work in works[:MOST_SHOWN]:
        _show(work)
    if rest := works[MOST_SHOWN:]:
        with st.expander(f"and {len(rest):,} more", key="strip_rest"):
            for work in rest:
                _show(work)


def _show(work: RunningWork) -> None:
    with st.container(horizontal=True, key=f"strip_{work.key}"):
        page_link(work.subject, label=_capital(work.subject.title))
        st.html(work_html(work))
        st.button(
            work.label,
            key=f"strip_stop_{work.key}",
            help=f"Stop {work.subject.title}",
            on_click=work.stop,
            disabled=work.stopping,
            width="content",
        )


def work_html(work: RunningWork) -> str:
    """How far it is, as a bar and in words."""
    name = escape(f"Progress of {work.subject.title}", quote=True)
    bar = f'<progress max="1" value="{work.share:.3f}" aria-label="{name}"></progress>'
    return f'<div class="sl-work">{bar}<span>{escape(work.about)}</span></div>'


def _capital(title: str) -> str:
    short = title.removeprefix("the ")
    return short[:1].upper() + short[1:]
