"""The evaluate page: every stage of a pipeline measured on judged queries, and where its losses lie."""

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from app import resources
from app.background import Job, Jobs
from app.resources import Opened
from app.turns import PatientPipeline
from app.views.evaluate.form import Asked, ask
from app.views.evaluate.results import show_results
from app.views.widgets import picked_link
from app.views.widgets.notices import note, problem
from app.views.widgets.pickers import judgments_fingerprint
from app.views.widgets.style import apply_style
from app.views.widgets.work import show_work
from indexing.errors import CorpusError, SecondLookError
from indexing.progress import Progress
from training.evaluation.archive import report_files, zipped
from training.evaluation.evaluate import Evaluation, Request, evaluate_pipeline
from training.evaluation.report import Settings

TITLE = (
    '<header class="sl-top"><h1>Evaluate</h1><p>What each stage is worth on judged queries, '
    "and where the losses lie.</p></header>"
)
LINKED = {name: f"evaluate_{name}" for name in ("index", "split", "reranker", "depth", "measure", "grade", "baseline")}
SHOWN = "evaluate_last"  # the session's: the evaluation that was asked for last


@dataclass(frozen=True)
class Evaluated:
    """An evaluation with the files that can be downloaded."""

    evaluation: Evaluation
    archive: bytes
    """ZIP of the report, values by query, TREC runs and qrels; empty where they can't be written."""
    qrels: bytes
    fault: str = ""
    """Why they can't be written; else empty."""


@st.cache_resource(show_spinner=False)
def evaluations() -> Jobs[Evaluated]:
    """The evaluations of all sessions."""
    return Jobs()


def render(*, read_only: bool = False) -> None:
    """Draw the page; `read_only` offers the re-rankers that are here and takes no other."""
    apply_style()
    st.html(TITLE)
    wanted = picked_link.restore("evaluate", LINKED)
    asked = ask(read_only=read_only)
    picked_link.remember("evaluate", LINKED, wanted)
    kept: tuple[Asked, Job[Evaluated]] | None = st.session_state.get(SHOWN)
    if asked is not None and st.button("Run", key="evaluate_run", type="primary", icon=":material/play_arrow:"):
        kept = _run(asked) or kept
        st.session_state[SHOWN] = kept
    if kept is None:
        note("Press Run: the bar tells how far it is, and you may leave the page meanwhile.")
        return
    if asked is not None and asked != kept[0]:
        note(f"Below is {kept[0].words()}; press Run for what is set above.")
    if show_work(kept[1], key="evaluate_run") and kept[1].result is not None:
        done = kept[1].result
        show_results(done.evaluation, kept[0], archive=done.archive, qrels=done.qrels, fault=done.fault)


def _run(asked: Asked) -> tuple[Asked, Job[Evaluated]] | None:
    """Open the pipeline here, where a spinner shows it, and evaluate it in the background."""
    try:
        opened = resources.open_pipeline(asked.index, asked.reranker)
    except SecondLookError as error:
        problem(error)
        return None
    if opened.pipeline.reranker is None:
        problem(opened.problem)
        st.button("Load it again", key="evaluate_retry", on_click=resources.retry_rerankers)
        return None
    key = (opened.fingerprint, judgments_fingerprint(opened), asked)
    return asked, evaluations().start(key, _work(opened, asked))


def _work(opened: Opened, asked: Asked) -> Callable[[Progress], Evaluated]:
    settings = Settings(asked.measure, asked.minimum_grade, asked.baseline)
    request = Request(split=asked.split, depth=asked.depth, settings=settings)

    def evaluate(progress: Progress) -> Evaluated:
        found = evaluate_pipeline(PatientPipeline(opened.pipeline), request, progress=progress)
        try:
            files = report_files(found.reports[0])
        except CorpusError as error:  # an id that TREC's files can't hold
            return Evaluated(found, b"", b"", str(error))
        return Evaluated(found, zipped(files), files["qrels.txt"])

    return evaluate
