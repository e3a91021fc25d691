"""Grades by a model on the Teach page: measured on the rater's own grades first, and only then let grade for others."""

from collections.abc import Mapping, Sequence

import streamlit as st

from app.background import BackgroundJob, BackgroundJobs
from app.resources import SharedPipeline
from app.views.teach.by_model.fields import choose_model
from app.views.teach.by_model.queries import Ungraded, ungraded
from app.views.teach.by_model.table import agreement_html
from app.views.teach.by_model.work import Asker, Done, grading, gradings, measuring, measurings
from app.views.teach.kept import WHERE, show_kept
from app.views.teach.readings import begin_field, keep_field
from app.views.widgets.figures import heading_html
from app.views.widgets.notices import hint, note, plain, problem
from app.views.widgets.passage.judgment import GRADES
from app.views.widgets.terms import meaning
from app.views.widgets.work import show_work
from indexing import places
from indexing.errors import SecondLookError
from indexing.index import Index
from indexing.judged.queries import normalize_query
from indexing.judged.sets import JudgedSet
from indexing.notes import counted, silent_note
from training.judgments.by_model.kept import kept_agreement, kept_of_model, last_agreement
from training.judgments.by_model.measured import LEAST, ModelAgreement
from training.judgments.by_model.own_grades import OwnGrade, draw, grades_in_store
from training.judgments.feedback import FeedbackStore, Grade
from training.judgments.kept import BY_MODEL, KeptSet, kept_set

PAIRS, TYPED, QUERIES, DEPTH = "teach_judge_pairs", "teach_judge_typed", "teach_judge_queries", "teach_judge_depth"
_OWN_KEY = "teach_judge_own"  # session: a rater's grades as pairs with texts
MOST_QUERIES, MOST_DEPTH = 1_000, 50
ABOUT = (
    "A language model that you name may grade passages, once it is known how far it agrees with your own grades. Until "
    "then nothing is sent anywhere."
)
DOUBTFUL = (
    "These pairs don't show that it agrees better than chance, so it may not grade; grade more passages, relevant ones "
    "too, and measure it again, or try another model."
)
KEPT_ANSWERS = "What the model has answered is kept, so that the work goes on where it was stopped."


def show_model(
    shared: SharedPipeline,
    store: FeedbackStore,
    grades: Sequence[Grade],
    *,
    rater: str,
    judged: Mapping[str, JudgedSet],
) -> None:
    """Show the part of the page; what is pressed in it draws nothing else anew."""
    st.fragment(_section)(shared, store, grades, rater, judged)


def _section(
    shared: SharedPipeline,
    store: FeedbackStore,
    grades: Sequence[Grade],
    rater: str,
    judged: Mapping[str, JudgedSet],
) -> None:
    note(ABOUT)
    manifest = shared.pipeline.index.manifest
    try:
        kept = kept_set(BY_MODEL, manifest.name)
        show_kept(BY_MODEL, manifest, _kept_sentence(kept, manifest.name))
        if not rater:
            hint("Type your name above: the model is measured on your grades.")
            return
        address = choose_model(last_agreement(manifest.name, rater))
        if address is None:
            return
        asker = Asker(index=manifest.name, build=manifest.build, rater=rater, address=address)
        _measure(asker, _own(shared.pipeline.index, grades, rater))
        agreement = kept_agreement(manifest.name, rater, address)
        if agreement is None:
            return
        st.html(heading_html("How far it agrees with you", f"measured on {agreement.at[:10]}"))
        note(f"{agreement.sentence()}.", f"Kappa: {meaning('Kappa')}")
        st.html(agreement_html(agreement))
        if agreement.doubtful:
            hint(DOUBTFUL)
            return
        own = kept_of_model(agreement, manifest.name)
        left = _choose_queries(store, grades, own, judged)
        _grade(asker, agreement, shared, left, replaced=kept if own is None else None)
    except (SecondLookError, OSError) as error:
        problem(error)


def _kept_sentence(kept: KeptSet | None, index: str) -> str:
    """What is kept of the index; empty for nothing."""
    if kept is None:
        return ""
    each = ", ".join(f"{count:,} “{GRADES[grade]}”" for grade, count in sorted(kept.grades.items(), reverse=True))
    return (
        f"Kept for {index}: {counted(kept.judgments, 'grade')} of {counted(kept.queries, 'query', 'queries')} by the "
        f"model {kept.made_by} ({each}), on {kept.at[:10]}. Your own grades aren't among them."
    )


def _own(index: Index, grades: Sequence[Grade], rater: str) -> list[OwnGrade]:
    """The rater's grades of passages that are as they were, read only when grades have changed."""
    own = [grade for grade in grades if grade.rater == rater]
    key = (index.manifest.name, index.manifest.build, own)
    last: tuple[object, list[OwnGrade]] | None = st.session_state.get(_OWN_KEY)
    if last is None or last[0] != key:
        found = grades_in_store(places.feedback(), index, rater=rater, note=silent_note) if own else []
        last = key, found
        st.session_state[_OWN_KEY] = last
    return last[1]


def _measure(asker: Asker, own: list[OwnGrade]) -> None:
    """The button that measures the model, or how many grades are missing; the work."""
    if len(own) < LEAST:
        missing = LEAST - len(own)
        hint(
            f"You have graded {counted(len(own), 'pair')} of a query and a passage of this index; grade {missing:,} "
            f"more, as at least {LEAST} tell how far a model agrees."
        )
        return
    begin_field(PAIRS, 60)
    st.session_state[PAIRS] = max(LEAST, min(st.session_state[PAIRS], len(own)))
    pairs = st.number_input(
        "Pairs to measure it on",
        min_value=LEAST,
        max_value=len(own),
        step=10,
        key=PAIRS,
        width=260,
        help=f"Of your {len(own):,}; always the same ones, and with a larger number these and more.",
    )
    keep_field(PAIRS)
    drawn = draw(own, int(pairs))
    if st.button("Measure it on my grades", key="teach_judge_measure", icon=":material/balance:", width="content"):
        key = (asker, tuple((each.pair.key, each.grade) for each in drawn))
        work = measuring(asker, drawn)
        _start("measure", measurings().start(key, work, asker.subject("the measuring"), again=True))
    _show_job("measure", measurings(), asker)


def _choose_queries(
    store: FeedbackStore,
    grades: Sequence[Grade],
    own: JudgedSet | None,
    judged: Mapping[str, JudgedSet],
) -> Ungraded:
    """Fields for the queries; those that remain."""
    st.html(heading_html("Let it grade", "the first passages of queries that have no grade"))
    begin_field(TYPED, "")
    typed = st.text_area(
        "Queries, one a line",
        key=TYPED,
        height=100,
        placeholder="Leave it empty for the judged train queries of the index"
        if "train" in judged
        else "This index has no judged train queries",
    )
    keep_field(TYPED)
    graded = {grade.normalized for grade in grades}
    if own is not None:
        graded |= {normalize_query(query.text) for query in own.queries}
    left = ungraded(typed, judged, store, graded=graded)
    note(left.sentence())
    return left


def _grade(
    asker: Asker, agreement: ModelAgreement, shared: SharedPipeline, left: Ungraded, *, replaced: KeptSet | None
) -> None:
    """How many queries and passages, the button, and the work."""
    begin_field(QUERIES, 20)
    begin_field(DEPTH, 5)
    first, second = st.columns(2)
    with first:
        count = int(st.number_input("Queries", min_value=1, max_value=MOST_QUERIES, step=10, key=QUERIES))
    with second:
        depth = int(st.number_input("First passages of each", min_value=1, max_value=MOST_DEPTH, key=DEPTH))
    keep_field(QUERIES)
    keep_field(DEPTH)
    chosen = left.queries[:count]
    pressed = st.button(
        f"Let it grade {len(chosen) * depth:,} passages",
        key="teach_judge_grade",
        type="primary",
        icon=":material/smart_toy:",
        disabled=not chosen,
        width="content",
    )
    note(WHERE + (f" They take the place of those by the model {replaced.made_by} that are kept." if replaced else ""))
    if pressed:
        key = (asker, chosen, depth)
        work = grading(asker, agreement, shared, chosen, depth=depth)
        _start("grade", gradings().start(key, work, asker.subject("the grading"), again=True))
    _show_job("grade", gradings(), asker)


def _start(name: str, job: BackgroundJob[Done]) -> None:
    """Remember the work that was started, and draw the whole page, whose strip shows it."""
    st.session_state[_job_key(name)] = job
    st.rerun()


def _show_job(name: str, jobs: BackgroundJobs[Done], asker: Asker) -> None:
    """The work of this name that runs or ended last, if it is about the same model, rater and index."""
    job: BackgroundJob[Done] | None = st.session_state.get(_job_key(name)) or jobs.newest()
    if job is None or job.subject.choice != asker:
        return
    if show_work(job, key=f"teach_judge_{name}") and job.result is not None:
        if job.result.sentence:
            st.success(plain(job.result.sentence), icon=":material/check:")
        if job.result.notes:
            note(*job.result.notes)
    elif job.over:
        note(KEPT_ANSWERS)


def _job_key(name: str) -> str:
    """The session's key of the work that was started last."""
    return f"teach_judge_{name}_job"
