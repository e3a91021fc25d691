"""One training, read from its folder: its progress, charts and outcome, and the actions it allows."""

import time
from collections.abc import Callable
from pathlib import Path

import streamlit as st

from app.views.train.chart import loss_chart, ndcg_chart, smoothed
from app.views.train.measured import measured_words
from app.views.train.rows import show_rows
from app.views.widgets.figures import Figure, duration_text, figures_html, heading_html, size_text
from app.views.widgets.job_progress import training_share, training_text
from app.views.widgets.notices import hint, note, plain, problem
from app.views.widgets.pickers import MOST_DEPTH
from indexing.errors import SecondLookError
from indexing.jobs.folder import log_end
from search import served
from training.jobs.jobs import TrainingJob
from training.jobs.reporter import read_preview
from training.jobs.status import TrainingStatus, read_metrics

LONGEST_SILENCE = 60.0  # seconds; a step of a large model or an evaluation may take as long
MODELS_PAGE = Path(__file__).parents[1] / "models/page.py"
CRASHED = (
    "The process ended unexpectedly: it was killed, the machine restarted, or memory ran out. "
    "The training can be resumed from its last checkpoint."
)
STOPPED = "Stopped. The training can be resumed from its last checkpoint."


def show_job(job: TrainingJob, *, on_dismiss: Callable[[TrainingJob], None]) -> None:
    """Show the job; it is redrawn every second while it runs, and can be dismissed once it has ended."""
    with st.container(border=True, key="train_job"):
        st.fragment(_live, run_every=1 if job.alive else None)(job.folder, job.alive, on_dismiss)


def job_figures(status: TrainingStatus, losses: list[float]) -> list[Figure]:
    """The figures known so far."""
    figures: list[Figure] = []
    if losses:
        last = "" if status.loss is None else f"{status.loss:.4f} at the last step"
        figures.append(Figure("Loss", f"{smoothed(losses)[-1]:.4f}", f"smoothed; {last}"))
    if losses and status.learning_rate and status.state == "training":
        figures.append(Figure("Learning rate", f"{status.learning_rate:.1e}", "rises at first, then falls to 0"))
    if status.ndcg is not None:
        best = "" if status.best_ndcg is None else f"best so far: {status.best_ndcg:.4f}"
        figures.append(Figure("nDCG@10, dev", f"{status.ndcg:.4f}", best))
    if status.current_ndcg is not None:
        figures.append(
            Figure("Served version", f"{status.current_ndcg:.4f}", f"{status.current} on the same dev queries")
        )
    if status.pairs_per_second >= 0.5:  # less would be shown as 0
        figures.append(
            Figure("Pairs per second", f"{status.pairs_per_second:,.0f}", "(query, passage) pairs trained on")
        )
    if status.seconds_left is not None and status.state == "training":
        figures.append(Figure("Time left", duration_text(status.seconds_left), "not counting evaluations"))
    if status.memory:
        figures.append(Figure("Memory", size_text(status.memory), "used by its process"))
    return figures


def _live(folder: Path, alive: bool, on_dismiss: Callable[[TrainingJob], None]) -> None:
    job = TrainingJob.read(folder)
    if job is None or job.alive != alive:
        st.rerun()  # the whole page: the list of trainings has changed
    settings = job.request.settings
    about = f"recipe {job.request.recipe}, from {base_name(settings.base)}, {job.name}"
    st.html(heading_html(version_id(job.request.output), about))
    if job.alive:
        st.progress(training_share(job.status), text=plain(training_text(job)))
        if (silence := time.time() - job.status.updated) > LONGEST_SILENCE:
            note(f"The last report was {duration_text(silence)} ago.")
    _show_outcome(job)
    metrics = read_metrics(folder)
    losses = [metric.loss for metric in metrics if metric.loss is not None]
    st.html(figures_html(job_figures(job.status, losses)))
    measured = measured_words(job)
    if measured and (job.status.ndcg, job.status.current_ndcg) != (None, None):
        note(f"nDCG@10 is measured on {measured}.")
    _show_buttons(job, on_dismiss)
    if losses:
        st.altair_chart(loss_chart(metrics), key="train_loss")
    if any(metric.ndcg is not None for metric in metrics):
        current = job.status.current, job.status.current_ndcg
        st.altair_chart(ndcg_chart(metrics, *current, measured=measured), key="train_ndcg")
    _show_data(job)


def version_id(output: Path) -> str:
    """A version's id as the Models page shows it: NAME/NUMBER."""
    return "/".join(output.parts[-2:])


def base_name(base: str) -> str:
    """The last two parts of a model's path or hub name."""
    return "/".join(Path(base).parts[-2:])


def _show_outcome(job: TrainingJob) -> None:
    status = job.status
    if job.state == "finished":
        _show_finished(status)
    elif job.state == "stopped":
        hint(STOPPED)
    elif job.state in ("failed", "crashed"):
        problem(status.error if job.state == "failed" else CRASHED)
        if log := log_end(job.folder):
            with st.expander("End of the log", key="train_log", expanded=job.state == "crashed"):
                st.code(log, language=None, wrap_lines=True)


def _show_finished(status: TrainingStatus) -> None:
    version = version_id(Path(status.version))
    measured = "" if status.ndcg is None else f" Its nDCG@10 on the dev set is {status.ndcg:.4f}"
    if measured and status.current_ndcg is not None:
        measured += f"; that of {status.current} is {status.current_ndcg:.4f}"
    if measured:
        measured += "."
    st.success(plain(f"Version {version} is ready.{measured}"), icon=":material/check:")


def _show_data(job: TrainingJob) -> None:
    preview = read_preview(job.folder)
    if preview is not None:
        rows, counts = preview
        with st.expander(f"Training data: {counts.rows:,} rows, {counts.pairs:,} pairs", key="train_learned"):
            show_rows(rows, counts)


def _show_buttons(job: TrainingJob, on_dismiss: Callable[[TrainingJob], None]) -> None:
    with st.container(horizontal=True, gap="small"):
        if job.alive:
            st.button(
                "Stop now" if job.state == "stopping" else "Stop",
                key="train_stop",
                icon=":material/stop:",
                on_click=job.stop,
                width="content",
                help="It ends after the current step and can be resumed later from its last checkpoint.",
            )
            return
        if job.can_resume and st.button("Resume", key="train_resume", icon=":material/play_arrow:", width="content"):
            _try(job.resume)
        if job.state == "finished" and (version := served.version_id(job.request.output)):
            _offer_promotion(job, version)
        if st.button("Dismiss", key="train_dismiss", icon=":material/close:", width="content"):
            _try(lambda: on_dismiss(job))
        with st.popover("Remove …", key="train_remove", width="content"):
            note("This removes its log, its rows and its checkpoints. A version that it made stays.")
            st.button("Remove", key="train_remove_yes", on_click=job.forget)


def _offer_promotion(job: TrainingJob, version: str) -> None:
    """Buttons to the Models page; the gate starts at once there, with the index and the depth of this training."""
    if st.button("Judge and promote", key="train_promote", type="primary", icon=":material/gavel:", width="content"):
        st.session_state["models_candidate"] = st.session_state["models_judge_now"] = version
        if (dev := job.request.dev) is not None:
            st.session_state["models_gate_index"] = dev.index
            st.session_state["models_gate_depth"] = min(dev.depth, MOST_DEPTH)
        _go_to_models(version, tab="Promote")
    if st.button("Compare", key="train_compare", icon=":material/balance:", width="content"):
        st.session_state["models_a"] = version
        _go_to_models(version, tab="Compare")


def _go_to_models(version: str, *, tab: str) -> None:
    st.session_state["models_shown"] = version
    st.session_state["models_tabs"] = tab
    st.switch_page(MODELS_PAGE)


def _try(action: Callable[[], None]) -> None:
    """Run the action and redraw the page, or show why it failed."""
    try:
        action()
    except (SecondLookError, OSError) as error:
        problem(error)
        return
    st.rerun()
