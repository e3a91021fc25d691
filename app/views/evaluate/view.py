"""The Evaluate page: every stage measured on judged queries, where losses arise, and whether re-ranking is worth it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from app import resources
from app.background import BackgroundJob, BackgroundJobs, Subject
from app.resources import SharedPipeline
from app.turns import PatientPipeline
from app.views.evaluate.deciding import decide_form, show_deciding
from app.views.evaluate.form import EvaluationChoice, show_form
from app.views.evaluate.results import Files, show_results
from app.views.widgets import picked_link
from app.views.widgets.measured.kept_result import KeptResult, keep_result, read_result
from app.views.widgets.notices import note, problem
from app.views.widgets.pickers import PICKED_KEY, judgments_fingerprint
from app.views.widgets.work import show_work
from indexing import places
from indexing.errors import CorpusError, SecondLookError
from indexing.progress import Progress
from search.rerank.late_interaction import LateInteractionReranker
from search.served import LATE, reranker_path
from search.served_settings import settings_in_force
from training.evaluation.archive import report_files, zipped
from training.evaluation.evaluate import Evaluation, evaluate_stages
from training.evaluation.kept import FOLDER, MOST_BYTES, KeptSearches
from training.evaluation.settings import EvaluationRequest, EvaluationSettings

TITLE = (
    '<header class="sl-top"><h1>Evaluate</h1><p>How well each stage does on judged queries, '
    "and where losses arise.</p></header>"
)
SHOWS = {"stages": "Stages", "decide": "Is re-ranking worth it?"}
LINKED = {
    name: f"evaluate_{name}"
    for name in ("show", "index", "split", "reranker", "depth", "measure", "grade", "baseline", "budget")
}
KEPT = "evaluation"
LAST_KEY = "evaluate_last"  # session: the last evaluation requested, and its job


@dataclass(frozen=True)
class EvaluationResult:
    """An evaluation with the files to download."""

    evaluation: Evaluation
    files: Files
    used: tuple[str, ...] = ()
    """Sentences on what was measured before and used again."""


@dataclass(frozen=True)
class KeptEvaluation:
    """The last evaluation, for the next visit: everything but the lists that it measured."""

    choice: EvaluationChoice
    evaluation: Evaluation
    used: tuple[str, ...]


@st.cache_resource(show_spinner=False)
def evaluations() -> BackgroundJobs[EvaluationResult]:
    """The evaluations of all sessions."""
    return BackgroundJobs()


def render(*, read_only: bool = False) -> None:
    """Draw the page; `read_only` offers only the re-rankers that are installed."""
    st.html(TITLE)
    requested = picked_link.restore("evaluate", LINKED)
    if _pick_show() == "decide":
        form = decide_form(read_only=read_only)
        picked_link.remember("evaluate", LINKED, requested)
        if form is not None:
            show_deciding(*form, read_only=read_only)
        return
    choice = show_form(read_only=read_only)
    picked_link.remember("evaluate", LINKED, requested)
    _evaluate(choice)


def _pick_show() -> str:
    """Which of the page's two questions is asked; kept for a return to the page."""
    picked, key = st.session_state.setdefault(PICKED_KEY, {}), LINKED["show"]
    value = st.session_state.get(key, picked.get(key))
    st.session_state[key] = value if value in SHOWS else next(iter(SHOWS))
    st.segmented_control(
        "Show", list(SHOWS), key=key, format_func=SHOWS.__getitem__, required=True, label_visibility="collapsed"
    )
    picked[key] = str(st.session_state[key])
    return str(picked[key])


def _evaluate(choice: EvaluationChoice | None) -> None:
    """The button, the work, and the results."""
    last: tuple[EvaluationChoice, BackgroundJob[EvaluationResult]] | None = st.session_state.get(LAST_KEY)
    if choice is not None and st.button("Run", key="evaluate_run", type="primary", icon=":material/play_arrow:"):
        last = _run(choice) or last
        st.session_state[LAST_KEY] = last
    last = last or _newest()
    if last is None:
        _show_kept()
        return
    last_choice, job = last
    if choice is not None and choice != last_choice:
        note(f"Shown below: {last_choice.words()}. Press Run to evaluate the settings above.")
    if show_work(job, key="evaluate_run") and job.result is not None:
        result = job.result
        show_results(result.evaluation, last_choice, files=result.files, used=result.used)


def _show_kept() -> None:
    """The last evaluation of an earlier day, or what to do where there is none."""
    kept: KeptResult[KeptEvaluation] | None = read_result(KEPT, KeptEvaluation)
    if kept is None:
        note("Press Run to evaluate. A bar shows the progress, and you can leave the page meanwhile.")
        return
    last = kept.result
    note(f"Shown below: {last.choice.words()}, measured {kept.measured}. Press Run to evaluate the settings above.")
    show_results(last.evaluation, last.choice, files=None, used=last.used)


def _newest() -> tuple[EvaluationChoice, BackgroundJob[EvaluationResult]] | None:
    """The evaluation that runs, whoever started it, else the one that was done last; None where there is none."""
    job = evaluations().newest()
    choice = None if job is None else job.subject.choice
    return (choice, job) if job is not None and isinstance(choice, EvaluationChoice) else None


def _run(choice: EvaluationChoice) -> tuple[EvaluationChoice, BackgroundJob[EvaluationResult]] | None:
    """Open the pipeline here, so that the page shows a spinner, and evaluate it in the background."""
    try:
        shared = resources.open_pipeline(choice.index, choice.reranker)
    except SecondLookError as error:
        problem(error)
        return None
    if shared.pipeline.reranker is None:
        problem(shared.problem)
        st.button("Reload", key="evaluate_retry", on_click=resources.retry_rerankers)
        return None
    key = (shared.fingerprint, judgments_fingerprint(shared), choice)
    subject = Subject(f"the evaluation of {choice.words()}", "evaluate", {"show": "stages"}, choice)
    return choice, evaluations().start(key, _work(shared, choice, _fingerprint(shared, choice)), subject)


def _fingerprint(shared: SharedPipeline, choice: EvaluationChoice) -> str:
    """The re-ranker's; empty for a model of the hub, which may change under its name."""
    reranker = shared.pipeline.reranker
    if isinstance(reranker, LateInteractionReranker):
        return f"{LATE}:{reranker.fingerprint}"
    path = reranker_path(choice.reranker)
    return resources.fingerprint(path) if Path(path).is_dir() else ""


def _work(shared: SharedPipeline, choice: EvaluationChoice, fingerprint: str) -> Callable[[Progress], EvaluationResult]:
    """Evaluates, and keeps what was searched where the re-ranker has a fingerprint."""
    settings = EvaluationSettings(measure=choice.measure, minimum_grade=choice.minimum_grade, baseline=choice.baseline)
    served = settings_in_force(choice.index).settings_for(choice.reranker)
    request = EvaluationRequest(split=choice.split, depth=choice.depth, served=served, settings=settings)

    def evaluate(progress: Progress) -> EvaluationResult:
        said: list[str] = []
        kept_in = places.runs() / FOLDER
        keep = KeptSearches(kept_in, fingerprint, said.append, most_bytes=MOST_BYTES) if fingerprint else None
        evaluation = evaluate_stages(PatientPipeline(shared.pipeline), request, keep=keep, progress=progress)
        used = tuple(said)
        keep_result(KEPT, KeptEvaluation(choice, evaluation.without_runs(), used))
        return EvaluationResult(evaluation, _files(evaluation), used)

    return evaluate


def _files(evaluation: Evaluation) -> Files:
    try:
        files = report_files(evaluation.reports[0])
    except CorpusError as error:  # an id that TREC's formats can't hold
        return Files(fault=str(error))
    return Files(archive=zipped(files), qrels=files["qrels.txt"])
