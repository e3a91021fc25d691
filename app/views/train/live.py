"""One training as its folder tells of it: how far it is, its charts, how it ended, and what can be done with it."""

import time
from collections.abc import Callable
from html import escape
from pathlib import Path

import streamlit as st

from app.views.train.chart import loss_chart, ndcg_chart, smoothed
from app.views.train.rows import show_rows
from app.views.widgets.figures import Figure, figures_html, size_text, span_text
from app.views.widgets.notices import hint, note, plain, problem
from indexing.errors import SecondLookError
from indexing.jobs.folder import log_end
from search import served
from training.jobs import jobs
from training.jobs.jobs import Job
from training.jobs.reporter import read_preview
from training.jobs.status import Status, read_metrics

SILENT = 60.0  # seconds; a step of a large model, or an evaluation, may take as long
MODELS_PAGE = Path(__file__).parents[1] / "models/page.py"
CRASHED = (
    "Its process ended without a word: it was killed, the machine was restarted, or memory ran out. "
    "It can go on from its last checkpoint."
)
STOPPED = "It was stopped. It can go on from its last checkpoint."
STATES = {
    "queued": "Starting",
    "gathering": "Gathering what it learns from",
    "training": "Training",
    "evaluating": "Measuring on the dev set",
    "stopping": "Stopping at the end of this step",
}


def show_job(job: Job) -> None:
    """The job; drawn anew every second while it goes on."""
    with st.container(border=True, key="train_job"):
        st.fragment(_live, run_every=1 if job.alive else None)(job.folder, job.alive)


def progress_text(job: Job) -> str:
    """State, phase, and steps or queries."""
    status = job.status
    parts = [STATES[job.state]]
    if status.phase and job.state != "stopping":
        parts.append(status.phase)
    if status.state == "training" and status.step:
        parts.append(f"step {status.step:,} of {status.steps:,}")
    elif status.done:
        parts.append(f"{status.done:,} of {status.total:,}" if status.total else f"{status.done:,} done")
    return ", ".join(parts) + " …"


def progress_share(status: Status) -> float:
    """How much of the training is done, or of what it gathers first."""
    done, total = (status.done, status.total) if status.total else (status.step, status.steps)
    return min(done / total, 1.0) if total else 0.0


def job_figures(status: Status, losses: list[float]) -> list[Figure]:
    """What is known by now."""
    shown: list[Figure] = []
    if losses:
        last = "" if status.loss is None else f"{status.loss:.4f} at the last step"
        shown.append(("Loss", f"{smoothed(losses)[-1]:.4f}", f"smoothed; {last}"))
        shown.append(("Learning rate", f"{status.learning_rate:.1e}", "rises at first, then falls to 0"))
    if status.ndcg is not None:
        best = "" if status.best_ndcg is None else f"the best so far {status.best_ndcg:.4f}"
        shown.append(("nDCG@10, dev", f"{status.ndcg:.4f}", best))
    if status.current_ndcg is not None:
        shown.append(("Current model", f"{status.current_ndcg:.4f}", f"{status.current} on the same dev queries"))
    if status.pairs_per_second:
        shown.append(("Pairs a second", f"{status.pairs_per_second:,.0f}", "(query, passage) pairs trained on"))
    if status.seconds_left is not None and not status.final:
        shown.append(("Time left", span_text(status.seconds_left), "without evaluations"))
    if status.memory:
        shown.append(("Memory", size_text(status.memory), "resident, of its process"))
    return shown


def _live(folder: Path, alive: bool) -> None:
    job = jobs.read_job(folder)
    if job is None or job.alive != alive:
        st.rerun()  # the whole page: the list of trainings has changed, and nothing may be left to watch
    settings = job.request.settings
    st.html(
        f'<h3 class="sl-heading">{escape(version_id(job.request.output))} '
        f"<small>recipe {escape(settings.recipe)}, from {escape(base_name(settings.base))}, {escape(job.name)}"
        "</small></h3>"
    )
    if job.alive:
        st.progress(progress_share(job.status), text=plain(progress_text(job)))
        if (silent := time.time() - job.status.updated) > SILENT:
            note(f"It last wrote {span_text(silent)} ago.")
    _ended(job)
    metrics = read_metrics(folder)
    losses = [metric.loss for metric in metrics if metric.loss is not None]
    st.html(figures_html(job_figures(job.status, losses)))
    if losses:
        st.altair_chart(loss_chart(metrics), key="train_loss")
    if any(metric.ndcg is not None for metric in metrics):
        current = job.status.current, job.status.current_ndcg
        st.altair_chart(ndcg_chart(metrics, *current), key="train_ndcg")
    _rows(job)
    _buttons(job)


def version_id(output: Path) -> str:
    """What the Models page calls a version: NAME/VERSION."""
    return "/".join(output.parts[-2:])


def base_name(base: str) -> str:
    """A model in few words."""
    return "/".join(Path(base).parts[-2:])


def _ended(job: Job) -> None:
    status = job.status
    if job.state == "finished":
        _finished(status)
    elif job.state == "stopped":
        hint(STOPPED)
    elif job.state in ("failed", "crashed"):
        problem(status.error if job.state == "failed" else CRASHED)
        if log := log_end(job.folder):
            with st.expander("The log's end", key="train_log", expanded=job.state == "crashed"):
                st.code(log, language=None, wrap_lines=True)


def _finished(status: Status) -> None:
    version = version_id(Path(status.version))
    measured = "" if status.ndcg is None else f" Its nDCG@10 on the dev set is {status.ndcg:.4f}"
    if measured and status.current_ndcg is not None:
        measured += f", that of {status.current} {status.current_ndcg:.4f}"
    st.success(plain(f"Version {version} is made.{measured}{'.' if measured else ''}"), icon=":material/check:")


def _rows(job: Job) -> None:
    found = read_preview(job.folder)
    if found is not None:
        rows, counts = found
        with st.expander(f"What it learns from: {counts.rows:,} rows, {counts.pairs:,} pairs", key="train_learned"):
            show_rows(rows, counts)


def _buttons(job: Job) -> None:
    with st.container(horizontal=True, gap="small"):
        if job.alive:
            st.button(
                "Stop at once" if job.state == "stopping" else "Stop",
                key="train_stop",
                icon=":material/stop:",
                on_click=jobs.stop,
                args=(job.folder,),
                width="content",
                help="It ends with this step, and can go on later from its last checkpoint.",
            )
            return
        if job.can_resume and st.button("Resume", key="train_resume", icon=":material/play_arrow:", width="content"):
            _try(lambda: jobs.resume(job.folder))
        if job.state == "finished" and (version := served.version_id(job.request.output)):
            _promotion(version)
        with st.popover("Remove …", key="train_remove", width="content"):
            note("Its log, its rows and its checkpoints go; a version that it made stays.")
            st.button("Remove it", key="train_remove_yes", on_click=jobs.forget, args=(job.folder,))


def _promotion(version: str) -> None:
    if st.button("Judge and promote it", key="train_promote", type="primary", icon=":material/gavel:", width="content"):
        st.session_state["models_candidate"] = st.session_state["models_shown"] = version
        st.session_state["models_tabs"] = "Promote"
        st.switch_page(MODELS_PAGE)


def _try(action: Callable[[], None]) -> None:
    """Do it and draw the page anew, or say why it can't be done."""
    try:
        action()
    except (SecondLookError, OSError) as error:
        problem(error)
        return
    st.rerun()
