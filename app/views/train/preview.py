"""What a training would learn from and take, found in a process of its own before it starts."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import streamlit as st

from app import resources
from app.background import Job, Jobs
from app.resources import feedback_path
from app.views.train.choice import Choice
from app.views.train.rows import show_rows
from app.views.widgets.figures import Figure, figures_html, size_text, span_text
from app.views.widgets.notices import note, plain, problem
from indexing.progress import Progress
from training.jobs import jobs
from training.jobs.forecast import forecast_apart
from training.judgments.feedback import FeedbackStore
from training.judgments.job_feedback import write_feedback
from training.train.forecast import QUERIES, Forecast

SHOWN = "train_forecast"  # the session's: the choice that was previewed last, and its job


@st.cache_resource(show_spinner=False)
def forecasts() -> Jobs[Forecast]:
    """The previews of all sessions."""
    return Jobs()


def ask_forecast(choice: Choice) -> None:
    """Begin a preview, anew each time: data and what else runs on the machine may have changed."""
    kept: tuple[Choice, Job[Forecast]] | None = st.session_state.get(SHOWN)
    if kept is not None:
        kept[1].stop()
    st.session_state[SHOWN] = choice, forecasts().start(jobs.new_folder().name, _work(choice, resources.index_root()))


def show_forecast(choice: Choice | None) -> None:
    """How far the preview is, or what came of it."""
    kept: tuple[Choice, Job[Forecast]] | None = st.session_state.get(SHOWN)
    if kept is None:
        return
    asked, job = kept
    with st.container(border=True, key="train_forecast_box"):
        st.html('<h3 class="sl-heading">Preview <small>of what is chosen above</small></h3>')
        if not job.over:
            st.fragment(_bar, run_every=1)(job)
        elif job.state == "failed":
            problem(job.problem)
        elif job.result is not None:
            if choice != asked:
                note("Something else is chosen since; preview it again.")
            _show(job.result)


def forecast_figures(found: Forecast) -> list[Figure]:
    """The estimates."""
    spent = ", ".join(f"{what} {span_text(seconds)}" for what, seconds in found.seconds.items())
    passes = "unknown" if found.passes is None else f"{found.passes:,.1f}"
    timed = "training" in found.seconds
    return [
        ("Steps", f"{found.steps:,}" if timed else "unknown", "of the optimiser, at the speed of now"),
        ("Pairs", f"{found.pairs:,}" if timed else "unknown", "(query, passage) pairs to be seen"),
        ("Passes", passes if timed else "unknown", "times that each row is seen"),
        ("Time", span_text(sum(found.seconds.values())) if timed else "unknown", spent),
        (
            "Memory",
            size_text(found.memory),
            f"an estimate, with the longest pairs as measured; free: {size_text(found.free)}",
        ),
    ]


def _show(found: Forecast) -> None:
    st.html(figures_html(forecast_figures(found)))
    if found.memory >= found.free:
        sentence = (
            f"About {size_text(found.memory)} of memory would be needed and {size_text(found.free)} are free, so its "
            "speed wasn't measured: choose fewer rows in memory at once, shorter pairs or a smaller model."
        )
        st.warning(plain(sentence), icon=":material/memory:")
    note(
        f"Estimates from the examples of at most {QUERIES} queries of each source and a few steps timed just now; the "
        "training itself gathers all of them."
    )
    show_rows(found.rows, found.counts)


def _bar(job: Job[Forecast]) -> None:
    if job.over:
        st.rerun()  # the whole page: there is something to show, and nothing is left to watch
    st.progress(0.0, text=plain(job.progress.phase or "Loading …"))
    st.button("Stop", key="train_preview_stop", icon=":material/stop:", on_click=job.stop, width="content")


def _work(choice: Choice, root: Path) -> Callable[[Progress], Forecast]:
    def work(progress: Progress) -> Forecast:
        with tempfile.TemporaryDirectory(prefix="second-look-preview-") as name:
            folder = Path(name)
            if choice.data.feedback:
                write_feedback(FeedbackStore.open(feedback_path()), folder, root=root)
            return forecast_apart(choice.request(folder, root=root), folder, told=lambda line: progress(line, 0, 0))

    return work
