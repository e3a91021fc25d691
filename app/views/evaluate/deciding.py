"""Is re-ranking worth it here? Decides in the background, and shows what was decided for the index last."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import streamlit as st

from app import environment, resources
from app.background import BackgroundJob, BackgroundJobs, Subject
from app.resources import SharedPipeline
from app.turns import turn
from app.views.evaluate.verdict import show_verdict
from app.views.widgets.figures import duration_text
from app.views.widgets.notices import hint, note, problem
from app.views.widgets.pickers import (
    judged_splits,
    judgments_fingerprint,
    open_first_stage,
    pick,
    pick_index,
    pick_split,
    warn_about,
)
from app.views.widgets.work import show_work
from indexing.errors import SecondLookError
from indexing.progress import Progress
from search.rerank.reranker import Reranker
from search.served import LATE, NO_RERANKER, reranker_path
from search.served_settings import served_settings
from training.choosing.contenders import Grid
from training.choosing.decide import decide
from training.choosing.evaluated import KeptReading
from training.choosing.kept_decision import KeptDecision, keep, last_decision, reading_folder, to_keep
from training.choosing.opened import DecideRequest, OpenIndex, request_identity
from training.choosing.sharing import Sharing

BUDGETS = {duration_text(seconds): float(seconds) for seconds in (20, 60, 180, 600, 1800)}
GRID = Grid()
"""What is tried."""
USUAL = duration_text(180)
JOB_KEY = "evaluate_decide_job"  # session: the decision that was started last
PAIRS = 32  # read in one turn: a search waits for so many at most


@dataclass(frozen=True, kw_only=True)
class DecideChoice:
    """What is to be decided, as a user set it."""

    index: str
    split: str
    budget: str


@st.cache_resource(show_spinner=False)
def decisions() -> BackgroundJobs[KeptDecision]:
    """The decisions of all sessions."""
    return BackgroundJobs()


def decide_form(*, read_only: bool) -> tuple[DecideChoice, SharedPipeline] | None:
    """The fields; None, with the reason on the page, where the index has nothing to decide on."""
    with st.container(border=True, key="evaluate_decide_form"):
        first, second, third = st.columns(3)
        with first:
            index = pick_index(key="evaluate_index")
        opened = open_first_stage(index)
        judged = judged_splits(opened) if opened is not None else {}
        if opened is None or not judged:
            return None
        with second:
            split = pick_split(judged, key="evaluate_decide_split")
        with third:
            budgets = list(BUDGETS)[:2] if read_only else list(BUDGETS)
            usual = budgets[-1] if read_only else USUAL
            about = "Roughly how long it may take. Whatever doesn't fit is left out and named."
            budget = pick("Time", budgets, key="evaluate_budget", default=usual, about=about)
        warn_about(split)
        note(
            f"One half of the {len(judged[split].queries):,} queries chooses the best pipeline of each kind, with and "
            "without a re-ranker; the other half compares these with each other and with what is served now."
        )
    return DecideChoice(index=index, split=split, budget=budget), opened


def show_deciding(choice: DecideChoice, shared: SharedPipeline, *, read_only: bool) -> None:
    """The button, the work, and what was decided last."""
    job: BackgroundJob[KeptDecision] | None = st.session_state.get(JOB_KEY)
    if st.button("Decide", key="evaluate_decide", type="primary", icon=":material/balance:"):
        job = _start(choice, shared) or job
        st.session_state[JOB_KEY] = job
    job = job or decisions().newest()
    if job is not None:
        show_work(job, key="evaluate_decide_work")
    kept = last_decision(choice.index)
    if kept is not None:
        show_verdict(kept, index=choice.index, read_only=read_only)
    elif job is None or job.over:
        hint(f"Nothing has been decided for {choice.index} yet. Press Decide; you can leave the page meanwhile.")


def _start(choice: DecideChoice, shared: SharedPipeline) -> BackgroundJob[KeptDecision] | None:
    """Open the re-rankers here, so that the page shows a spinner, and decide in the background."""
    try:
        served = served_settings(choice.index)
        names = dict.fromkeys([environment.default_reranker(), LATE, *([served.reranker] if served else [])])
        opened = _open(choice.index, shared, [name for name in names if name != NO_RERANKER])
    except (SecondLookError, OSError) as error:
        problem(error)
        return None
    tried = tuple(name for name in (environment.default_reranker(), LATE) if name in opened.rerankers)
    if not tried:
        problem(f"No re-ranker can be tried on {choice.index}; promote one on the Models page.")
        return None
    request = DecideRequest(
        indexes=(choice.index,), split=choice.split, rerankers=tried, seconds=BUDGETS[choice.budget], grid=GRID
    )
    key = (shared.fingerprint, judgments_fingerprint(shared), choice, str(opened.fingerprints), repr(served))
    subject = Subject(f"the decision for {choice.index}", "evaluate", {"show": "decide"}, choice, unit="steps")
    return decisions().start(key, _work(opened, request), subject)


def _open(index: str, shared: SharedPipeline, names: list[str]) -> OpenIndex:
    """The index with the re-rankers that can be opened. Raises SettingsError, IndexingError."""
    rerankers: dict[str, Reranker] = {}
    fingerprints: dict[str, str] = {}
    for name in names:
        opened = resources.open_pipeline(index, name)
        if opened.pipeline.reranker is None:
            note(f"{name} isn't tried: {opened.problem}")
            continue
        rerankers[name] = opened.pipeline.reranker
        fingerprints[name] = resources.fingerprint(reranker_path(name))
    return OpenIndex(
        index=shared.pipeline.index, encoder=shared.pipeline.encoder, rerankers=rerankers, fingerprints=fingerprints
    )


def _work(opened: OpenIndex, request: DecideRequest) -> Callable[[Progress], KeptDecision]:
    sharing = Sharing(turn=turn, pairs=PAIRS)

    def work(progress: Progress) -> KeptDecision:
        reading = KeptReading(reading_folder(), opened.fingerprints)
        identity = request_identity(request)
        decision = decide([opened], request, keep=reading, note=_ignore, sharing=sharing, progress=progress)
        kept = replace(to_keep(decision, split=request.split), identity=identity, seconds=request.seconds)
        keep(kept, request.indexes)
        return kept

    return work


def _ignore(sentence: str) -> None:
    """What was read before needs no telling here; the decision's own notes are on the page."""
