"""What an index answers with, the buttons that change it, and the calibration of what was just served."""

import time
from collections.abc import Callable

import streamlit as st

from app import resources
from app.background import BackgroundJob, BackgroundJobs, Subject
from app.login import user_name
from app.turns import turn
from app.views.widgets.notices import note, plain, problem
from app.views.widgets.terms import meaning
from app.views.widgets.work import show_work
from indexing.errors import SecondLookError
from indexing.progress import Progress
from search.calibration.served import is_calibrated
from search.pipeline import RetrieveAndRerank
from search.served_settings import ServedSettings, rollback, served_settings
from search.served_words import default_words
from training.choosing.kept_decision import KeptDecision, serve_decision
from training.evaluation.calibrate_served import calibrate_served
from training.versions.promoted import person

DONE_KEY = "evaluate_decide_done"  # session: what the last click did, told once
JOB_KEY = "evaluate_calibrate_job"  # session: by index, the calibration of what was served last
SOON = 2.0  # seconds that the page waits for it; it goes on in the background
POLL = 0.05  # seconds


@st.cache_resource(show_spinner=False)
def calibrations() -> BackgroundJobs[str]:
    """The calibrations of all sessions, each with a sentence on what came of it."""
    return BackgroundJobs()


def show_serving(kept: KeptDecision, index: str, *, read_only: bool) -> None:
    """What the index answers with, and the buttons that change it."""
    if done := st.session_state.pop(DONE_KEY, ""):
        st.success(plain(done))
    try:
        served = served_settings(index)
    except SecondLookError as error:
        problem(error)
        return
    note(f"{index} answers with {default_words(served)}.")
    _show_calibrating(index)
    if read_only:
        return
    with st.container(horizontal=True, gap="small", key="evaluate_decide_serving"):
        _serve_buttons(kept, index)
        if served is not None and st.button(
            "Roll back",
            key="evaluate_decide_back",
            icon=":material/undo:",
            help=meaning("Roll back"),
            width="content",
        ):
            _do(lambda: _forget_job(index, rollback(index)), f"{index} answers as before.")


def _serve_buttons(kept: KeptDecision, index: str) -> None:
    """Serve what was decided, or the same stopping early."""
    can_serve = kept.served is not None and kept.index == index
    if st.button(
        "Serve it",
        key="evaluate_decide_serve",
        icon=":material/publish:",
        disabled=not can_serve,
        help=kept.refusal or "Make what was decided the default of every search on this index.",
        width="content",
    ):
        _do(lambda: _serve(kept, early=False), f"{index} answers with what was decided.")
    if kept.early is not None and st.button(
        "Serve it stopping early",
        key="evaluate_decide_serve_early",
        disabled=not can_serve,
        help="The same, but re-ranking ends once the first ten places hardly change any more: see the table.",
        width="content",
    ):
        _do(lambda: _serve(kept, early=True), f"{index} answers with what was decided, stopping early.")


def _serve(kept: KeptDecision, *, early: bool) -> None:
    index, served = serve_decision(kept, by=user_name() or person(), early=early)
    if is_calibrated(index):  # what was served before may be served again
        _forget_job(index, None)
        return
    shared = resources.open_pipeline(index, served.reranker)
    if shared.problem:
        note(f"Its scores aren't calibrated: {shared.problem}")
        return
    parts = shared.pipeline
    with turn():  # the bi-encoder is compared with the index
        pipeline = RetrieveAndRerank(parts.index, parts.encoder, parts.reranker, settings=served.settings)
    subject = Subject(f"the calibration of {index}", "evaluate", {"show": "decide"})
    job = calibrations().start(
        (shared.fingerprint, index, served.at, served.settings, kept.split), _work(pipeline, kept.split), subject
    )
    st.session_state.setdefault(JOB_KEY, {})[index] = job
    end = time.monotonic() + SOON
    while not job.over and time.monotonic() < end:
        time.sleep(POLL)


def _work(pipeline: RetrieveAndRerank, split: str) -> Callable[[Progress], str]:
    return lambda progress: calibrate_served(pipeline, split, turn=turn, progress=progress)


def _show_calibrating(index: str) -> None:
    """The progress of the calibration, and what came of it."""
    job: BackgroundJob[str] | None = st.session_state.get(JOB_KEY, {}).get(index)
    if job is not None and show_work(job, key="evaluate_calibrate_work") and job.result is not None:
        note(job.result)


def _forget_job(index: str, _: ServedSettings | None) -> None:
    """What is served now isn't what was calibrated last."""
    st.session_state.get(JOB_KEY, {}).pop(index, None)


def _do(action: Callable[[], object], done: str) -> None:
    try:
        action()
    except (SecondLookError, OSError) as error:
        problem(error)
        return
    st.session_state[DONE_KEY] = done
    st.rerun()
