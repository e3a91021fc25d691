"""All trainings, the newest first."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from html import escape
from pathlib import Path

import streamlit as st

from app.views.train.live import base_name, version_id
from app.views.train.measured import measured_words
from app.views.widgets.figures import heading_html
from app.views.widgets.job_progress import TRAINING_STATES
from app.views.widgets.notices import hint, note
from training.jobs.jobs import TrainingJob

MOST_LISTED = 20
EVERY = 2  # seconds between two readings of the list while a training runs


def show_history(
    jobs: Sequence[TrainingJob], *, choose: Callable[[str], None] | None, broken: Sequence[str] = ()
) -> None:
    """Show a line for each; with `choose`, also a button that calls it with the job's name.

    `broken` are sentences on jobs whose folders can't be read.
    """
    st.html(heading_html("Trainings", "newest first"))
    running = any(job.alive for job in jobs)
    st.fragment(_lines, run_every=EVERY if running else None)([job.folder for job in jobs], choose)
    if broken:
        note(*broken[:MOST_LISTED])


def _lines(folders: Sequence[Path], choose: Callable[[str], None] | None) -> None:
    """The lines, each read from its folder now, so that a training that runs says how far it is."""
    jobs = [job for folder in folders[:MOST_LISTED] if (job := TrainingJob.read(folder)) is not None]
    if not jobs:
        hint("No trainings yet.")
    for job in jobs:
        line, button = st.columns([9, 1], vertical_alignment="center")
        line.html(line_html(job))
        if choose is not None:
            button.button("Show", key=f"train_show_{job.name}", on_click=choose, args=(job.name,), width="content")
    if len(folders) > MOST_LISTED:
        note(f"{len(folders) - MOST_LISTED:,} older ones are in {folders[0].parent}.")


def line_html(job: TrainingJob) -> str:
    """A training's version, state, figures and settings in one line."""
    settings, status = job.request.settings, job.status
    started = datetime.fromtimestamp(status.started, UTC).strftime("%Y-%m-%d %H:%M") if status.started else ""
    parts = [started, f"recipe {job.request.recipe}", f"from {base_name(settings.base)}", job.name]
    if status.steps:
        parts.insert(2, f"{status.step:,} of {status.steps:,} steps")
    if status.ndcg is not None:
        measured = measured_words(job)
        parts.insert(1, f"nDCG@10 {status.ndcg:.4f}{f' on {measured}' if measured else ''}")
    details = ", ".join(filter(None, parts))
    state = TRAINING_STATES[job.state]
    return (
        f'<div><b>{escape(version_id(job.request.output))}</b> <span class="sl-badge">{escape(state)}</span> '
        f'<span class="sl-quiet">{escape(details)}</span></div>'
    )
