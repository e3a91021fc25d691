"""A preview of a training: its data and what it will take, computed in a separate process before it starts."""

import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from app.background import BackgroundJob, BackgroundJobs, Subject, running_jobs
from app.login import user_name
from app.views.train.choice import TrainingChoice
from app.views.train.own_data import write_own_data
from app.views.train.rows import show_rows
from app.views.widgets.figures import Figure, duration_text, figures_html, heading_html, size_text
from app.views.widgets.notices import note, plain, problem
from app.views.widgets.work import link_ahead, progress_share, progress_text
from indexing import places
from indexing.progress import Progress
from training.jobs.forecast import forecast_apart
from training.jobs.jobs import TrainingJob
from training.train.forecast import QUERIES, Forecast

LAST_KEY = "train_forecast"  # session: the choice previewed last, and its job
COUNTED = re.compile(r"(.+): ([\d,]+) of ([\d,]+)")  # a line of the forecast's output that counts


@dataclass(frozen=True)
class _Previewed:
    """What is previewed, and for whom."""

    choice: TrainingChoice
    user: str
    """Who is logged in; empty where nobody is."""
    session: str
    """The id of the session."""


@st.cache_resource(show_spinner=False)
def forecasts() -> BackgroundJobs[Forecast]:
    """The previews of all sessions."""
    return BackgroundJobs()


def start_forecast(choice: TrainingChoice) -> None:
    """Start a new preview each time, because the data and the load of the machine may have changed."""
    stop_forecast()
    key = TrainingJob.new_folder().name
    subject = Subject(f"the preview of {choice.name}", "train", choice=_Previewed(choice, user_name(), _session()))
    st.session_state[LAST_KEY] = choice, forecasts().start(key, _work(choice, places.indexes()), subject)


def stop_forecast() -> None:
    """End the preview of this session, as the training itself begins, and those that this user left by a reload."""
    last: tuple[TrainingChoice, BackgroundJob[Forecast]] | None = st.session_state.pop(LAST_KEY, None)
    if last is not None:
        last[1].stop()
    for job in running_jobs():
        of = job.subject.choice
        if isinstance(of, _Previewed) and of.user == user_name() and not _is_open(of.session):
            job.stop()


def _session() -> str:
    context = get_script_run_ctx()
    return "" if context is None else context.session_id


def _is_open(session: str) -> bool:
    """Whether a browser still shows a session, which a reload ends."""
    return runtime.exists() and runtime.get_instance().is_active_session(session)


def show_forecast(choice: TrainingChoice | None) -> None:
    """Show the progress of the preview, or its result."""
    last: tuple[TrainingChoice, BackgroundJob[Forecast]] | None = st.session_state.get(LAST_KEY)
    if last is None:
        return
    previewed, job = last
    if job.state == "stopped" or (job.stopping and not job.over):
        return
    with st.container(border=True, key="train_forecast_box"):
        st.html(heading_html("Preview", "of the training set above"))
        if not job.over:
            st.fragment(_bar, run_every=1)(job)
        elif job.state == "failed":
            problem(job.problem)
        elif job.result is not None:
            if choice != previewed:
                note("The settings have changed since; press Preview again.")
            _show(job.result)


def forecast_figures(forecast: Forecast) -> list[Figure]:
    """The estimates as figures."""
    times = ", ".join(f"{what} {duration_text(seconds)}" for what, seconds in forecast.seconds.items())
    passes = "unknown" if forecast.passes is None else f"{forecast.passes:,.1f}"
    timed = "training" in forecast.seconds
    return [
        Figure("Steps", f"{forecast.steps:,}" if timed else "unknown", "of the optimizer, at the present speed"),
        Figure("Pairs", f"{forecast.pairs:,}" if timed else "unknown", "(query, passage) pairs to train on"),
        Figure("Passes", passes if timed else "unknown", "how often each row is used"),
        Figure("Time", duration_text(sum(forecast.seconds.values())) if timed else "unknown", times),
        Figure(
            "Memory",
            size_text(forecast.memory),
            f"estimated from the longest pairs; free: {size_text(forecast.free)}",
        ),
    ]


def _show(forecast: Forecast) -> None:
    st.html(figures_html(forecast_figures(forecast)))
    if forecast.memory >= forecast.free:
        needed, free = size_text(forecast.memory), size_text(forecast.free)
        sentence = (
            f"About {needed} of memory is needed but only {free} is free, so the speed wasn't measured. Choose fewer "
            "rows in memory at once, shorter pairs or a smaller model."
        )
        st.warning(plain(sentence), icon=":material/memory:")
    note(
        f"Estimated from the examples of at most {QUERIES} queries of each source and a few steps timed just now. The "
        "training itself uses all queries, and what was mined for them just now."
    )
    show_rows(forecast.rows, forecast.counts)


def _bar(job: BackgroundJob[Forecast]) -> None:
    if job.over:
        st.rerun()  # the whole page: its result can be shown now
    counts = job.progress.total or job.stopping or job.state == "waiting"
    words = progress_text(job) if counts else job.progress.phase or "Loading …"
    st.progress(progress_share(job) or 0.0, text=plain(words))
    link_ahead(job)
    st.button("Stop", key="train_preview_stop", icon=":material/stop:", on_click=job.stop, width="content")


def _work(choice: TrainingChoice, root: Path) -> Callable[[Progress], Forecast]:
    def work(progress: Progress) -> Forecast:
        with tempfile.TemporaryDirectory(prefix="second-look-preview-") as name:
            folder = Path(name)
            write_own_data(choice.data, folder, root=root)
            return forecast_apart(choice.request(folder, root=root), folder, on_output=OutputProgress(progress))

    return work


class OutputProgress:
    """Reports lines of a forecast's output, with what they count, so that the time left of a part can be told."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._last = ("", 0, 0)

    def __call__(self, line: str) -> None:
        """Take the last line, which may be the same as before."""
        counted = COUNTED.fullmatch(line)
        if counted is None or counted[2] == counted[3]:  # nothing is left to count
            self._progress(line, 0, 0)
            return
        phase, done, total = counted[1], _number(counted[2]), _number(counted[3])
        known = self._last[1] if (self._last[0], self._last[2]) == (phase, total) else 0
        self._last = phase, done, total
        self._progress(phase, done - known, total)


def _number(text: str) -> int:
    return int(text.replace(",", ""))
