"""Grading: passages one by one or as a list, each with four buttons and shortcut keys, and an undo."""

import streamlit as st

from app.views.teach.sheet import GradingSheet, passage_html
from app.views.widgets.notices import hint, note
from app.views.widgets.passage.judgment import GRADES, grade_label
from app.views.widgets.terms import meaning
from indexing.errors import SecondLookError
from training.judgments.feedback import FeedbackStore

MEANINGS = {
    0: "It contains nothing useful for the query.",
    1: "It is about the subject but doesn't answer the query.",
    2: "It contains the answer, but unclearly or among much else.",
    3: "It is about the query and contains the exact answer.",
}
"""Of each grade, whose name is the one that cards show."""
_PLACE_KEY = "teach_place"  # session: the sheet, and the place of the passage shown
NOTE_KEY = "teach_told"  # session: what the last click did
PROBLEM_KEY = "teach_fault"  # session: why the last click failed


def show_meanings() -> None:
    """Show what each grade means."""
    note(meaning("Grade"), *(f"{grade_label(grade)}: {words}" for grade, words in reversed(MEANINGS.items())))


def show_sheet(store: FeedbackStore, sheet: GradingSheet, *, one_by_one: bool) -> None:
    """Show the passages with their grade buttons and the undo button."""
    if one_by_one:
        _show_one(store, sheet)
        return
    with st.container(horizontal=True, gap="small"):
        _undo_button(store, sheet)
    for place in range(len(sheet.passages)):
        st.html(passage_html(sheet, place))
        _grade_buttons(store, sheet, place, keys=False)


def _show_one(store: FeedbackStore, sheet: GradingSheet) -> None:
    place = _place(sheet)
    count = len(sheet.passages)
    if place < count:
        st.html(passage_html(sheet, place))
        _grade_buttons(store, sheet, place, keys=True)
    else:
        hint(
            f"All {count} passages of this query are graded. Continue with another query, or go back to change a grade."
        )
    with st.container(horizontal=True, gap="small"):
        _step("Back", "teach_back", sheet, place - 1, shortcut="Left", disabled=place == 0)
        _step("Skip", "teach_skip", sheet, place + 1, shortcut="Right", disabled=place == count)
        _undo_button(store, sheet)


def _grade_buttons(store: FeedbackStore, sheet: GradingSheet, place: int, *, keys: bool) -> None:
    """Four buttons; with `keys` the digits press them too, which only one passage of a page can offer."""
    current = sheet.grades.get(sheet.passages[place].id)
    with st.container(horizontal=True, gap="xsmall", key=f"teach_grades_{place}"):
        for grade, words in MEANINGS.items():
            st.button(
                GRADES[grade].capitalize() if keys else grade_label(grade),  # Streamlit shows the key itself
                key=f"teach_grade_{place}_{grade}",
                help=words,
                type="primary" if grade == current else "secondary",
                on_click=_store_grade,
                args=(store, sheet, place, grade),
                shortcut=str(grade) if keys else None,
            )


def _step(label: str, key: str, sheet: GradingSheet, place: int, *, shortcut: str, disabled: bool) -> None:
    st.button(label, key=key, on_click=_go, args=(sheet, place), shortcut=shortcut, disabled=disabled)


def _undo_button(store: FeedbackStore, sheet: GradingSheet) -> None:
    st.button(
        "Undo",
        key="teach_undo",
        icon=":material/undo:",
        on_click=_undo,
        args=(store, sheet),
        shortcut="U",
        help="Takes back your last grade, for this query or another. Press it again for the one before.",
    )


def _place(sheet: GradingSheet) -> int:
    """The place of the passage shown; on a new sheet, that of the first passage without a grade."""
    place: tuple[object, int] | None = st.session_state.get(_PLACE_KEY)
    if place is None or place[0] != sheet.signature:
        _go(sheet, sheet.first_ungraded())
    return int(st.session_state[_PLACE_KEY][1])


def _go(sheet: GradingSheet, place: int) -> None:
    st.session_state[_PLACE_KEY] = (sheet.signature, place)


def _store_grade(store: FeedbackStore, sheet: GradingSheet, place: int, grade: int) -> None:
    try:
        store.grade(
            sheet.query,
            sheet.passages[place],
            grade=grade,
            rater=sheet.rater,
            index=sheet.index,
            build=sheet.build,
            query_id=sheet.query_id,
            held_out=sheet.held_out,
        )
    except SecondLookError as error:
        st.session_state[PROBLEM_KEY] = str(error)
        return
    _go(sheet, sheet.first_ungraded(after=place))


def _undo(store: FeedbackStore, sheet: GradingSheet) -> None:
    try:
        undone = store.undo(sheet.rater)
    except SecondLookError as error:
        st.session_state[PROBLEM_KEY] = str(error)
        return
    if undone is None:
        st.session_state[NOTE_KEY] = "You have no grade to take back."
        return
    taken = f"“{GRADES[undone.grade]}” of passage {undone.passage_id} for “{undone.query}”"
    st.session_state[NOTE_KEY] = f"Took back the grade {taken}."
    place = sheet.place_of(undone)
    if place is not None:
        _go(sheet, place)
