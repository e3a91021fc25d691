"""Grades a passage where it was found: its card opens a dialog with the four grades and the way to Teach."""

import streamlit as st

from app.background import Subject
from app.login import user_name
from app.resources import SharedPipeline
from app.views.widgets.notices import hint, note, problem
from app.views.widgets.passage.judgment import GRADES, Judgment, find_judgment, grade_label, load_judgments
from app.views.widgets.work import page_link
from indexing import places
from indexing.errors import SecondLookError
from indexing.judged.queries import normalize_query
from indexing.records import PassageId
from search.trace import SearchTrace
from training.judgments.feedback import FeedbackStore, check_rater
from training.versions.promoted import person

LEAD_LENGTH = 400  # characters of the passage at the top of the dialog
RATER_KEY = "card_rater"  # session: the field's value
_KEPT_KEY = "card_rater_kept"  # session: the name that graded last, as Streamlit drops that of a closed dialog
_FAULT_KEY = "card_fault"  # session: why the last grade wasn't stored
_OF_TEACH = "teach_last_choice"  # session: what the Teach page last held


@st.dialog("Grade this passage", width="medium")
def show_grading(shared: SharedPipeline, trace: SearchTrace, passage_id: PassageId) -> None:
    """Show the dialog; a grade is stored as soon as its button is pressed, in place of the rater's earlier one."""
    lead = trace.passages[passage_id].content
    note(f"For the query “{trace.query}”:", lead if len(lead) <= LEAD_LENGTH else lead[:LEAD_LENGTH] + " …")
    st.session_state.setdefault(RATER_KEY, _usual_rater())
    typed = st.text_input("Your name", key=RATER_KEY, width=260, help="Stored with the grade, in lower case.")
    judgment = find_judgment(load_judgments(shared), trace.query)
    try:
        store = FeedbackStore.open(places.feedback())
        rater = check_rater(typed)
        current = _current(store, trace, passage_id, rater=rater)
    except SecondLookError as error:
        problem(error)
        return
    with st.container(horizontal=True, gap="xsmall"):
        for grade in sorted(GRADES):
            st.button(
                grade_label(grade),
                key=f"card_grade_{grade}",
                type="primary" if grade == current else "secondary",
                on_click=_store,
                args=(store, trace, passage_id, judgment),
                kwargs={"grade": grade},
            )
    if fault := st.session_state.pop(_FAULT_KEY, ""):
        problem(fault)
    if current is not None:
        note(f"Stored: “{GRADES[current]}”, by {rater}. Another button replaces it.")
    if _is_held_out(judgment) or store.protects(trace.query):
        hint("This query is protected: its grades are used to measure, never to train.")
    parameters = {"q": trace.query, "index": trace.versions.index, "rater": rater}
    page_link(Subject("", "teach", parameters), label="Grade this query's other passages on Teach")


def _usual_rater() -> str:
    """Who graded last in this session, here or on Teach; else who is logged in, or whose account the app runs under."""
    kept = st.session_state.get(_KEPT_KEY) or getattr(st.session_state.get(_OF_TEACH), "rater", "")
    return str(kept or user_name() or person())


def _is_held_out(judgment: Judgment | None) -> bool:
    """Whether the query belongs to a judged split other than train."""
    return judgment is not None and judgment.split != "train"


def _current(store: FeedbackStore, trace: SearchTrace, passage_id: PassageId, *, rater: str) -> int | None:
    """The rater's grade of this passage, if there is one."""
    wanted = (rater, normalize_query(trace.query), passage_id)
    grades = store.grades(trace.versions.index)
    return next((one.grade for one in grades if (one.rater, one.normalized, one.passage_id) == wanted), None)


def _store(
    store: FeedbackStore, trace: SearchTrace, passage_id: PassageId, judgment: Judgment | None, *, grade: int
) -> None:
    try:
        stored = store.grade(
            trace.query,
            trace.passages[passage_id],
            grade=grade,
            rater=st.session_state[RATER_KEY],  # as typed now, which may be after the buttons were drawn
            index=trace.versions.index,
            build=trace.versions.build,
            query_id=None if judgment is None else judgment.query_id,
            held_out=_is_held_out(judgment),
        )
    except SecondLookError as error:
        st.session_state[_FAULT_KEY] = str(error)
        return
    st.session_state[_KEPT_KEY] = stored.rater
