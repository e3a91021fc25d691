"""The grading itself: passages one by one or as a list, four buttons and keys for each, and Undo."""

import streamlit as st

from app.views.teach.sheet import Sheet, passage_html
from app.views.widgets.notices import hint, note
from indexing.errors import SecondLookError
from training.judgments.feedback import FeedbackStore

MEANINGS = {
    0: ("Not relevant", "It says nothing of use for the query."),
    1: ("Related", "It is about the subject but does not answer."),
    2: ("Answers, with noise", "The answer is in it, unclear or among much else."),
    3: ("Answers perfectly", "It is about the query and holds the exact answer."),
}
_PLACE, TOLD, FAULT = "teach_place", "teach_told", "teach_fault"
"""Keys of the session: where a rater is on which sheet, and what the last click has to say."""


def show_meanings() -> None:
    """What each grade stands for."""
    note(*(f"{grade} {name}: {meaning}" for grade, (name, meaning) in reversed(MEANINGS.items())))


def show_sheet(store: FeedbackStore, sheet: Sheet, *, one_by_one: bool) -> None:
    """The passages with their buttons, below what the last click did."""
    if one_by_one:
        _show_one(store, sheet)
        return
    with st.container(horizontal=True, gap="small"):
        _undo_button(store, sheet)
    for place in range(len(sheet.passages)):
        st.html(passage_html(sheet, place))
        _grade_buttons(store, sheet, place, keys=False)


def _show_one(store: FeedbackStore, sheet: Sheet) -> None:
    place = _place(sheet)
    count = len(sheet.passages)
    if place < count:
        st.html(passage_html(sheet, place))
        _grade_buttons(store, sheet, place, keys=True)
    else:
        hint(f"All {count} passages of this query are graded. Go on with another query, or go back to change a grade.")
    with st.container(horizontal=True, gap="small"):
        _step("Back", "teach_back", sheet, place - 1, shortcut="Left", disabled=place == 0)
        _step("Skip", "teach_skip", sheet, place + 1, shortcut="Right", disabled=place == count)
        _undo_button(store, sheet)


def _grade_buttons(store: FeedbackStore, sheet: Sheet, place: int, *, keys: bool) -> None:
    """Four buttons; with `keys` the digits press them too, which only one passage of a page can have."""
    given = sheet.grades.get(sheet.passages[place].id)
    with st.container(horizontal=True, gap="xsmall", key=f"teach_grades_{place}"):
        for grade, (name, meaning) in MEANINGS.items():
            st.button(
                name if keys else f"{grade} · {name}",  # a key is shown beside its button's name
                key=f"teach_grade_{place}_{grade}",
                help=meaning,
                type="primary" if grade == given else "secondary",
                on_click=_give,
                args=(store, sheet, place, grade),
                shortcut=str(grade) if keys else None,
            )


def _step(label: str, key: str, sheet: Sheet, place: int, *, shortcut: str, disabled: bool) -> None:
    st.button(label, key=key, on_click=_go, args=(sheet, place), shortcut=shortcut, disabled=disabled)


def _undo_button(store: FeedbackStore, sheet: Sheet) -> None:
    st.button(
        "Undo",
        key="teach_undo",
        icon=":material/undo:",
        on_click=_undo,
        args=(store, sheet),
        shortcut="U",
        help="Takes back your last grade, of this query or another; again, the one before it.",
    )


def _place(sheet: Sheet) -> int:
    """Where the rater is; at the first passage without a grade on a sheet that is new."""
    kept: tuple[object, int] | None = st.session_state.get(_PLACE)
    if kept is None or kept[0] != sheet.signature:
        _go(sheet, sheet.first_ungraded())
    return int(st.session_state[_PLACE][1])


def _go(sheet: Sheet, place: int) -> None:
    st.session_state[_PLACE] = (sheet.signature, place)


def _give(store: FeedbackStore, sheet: Sheet, place: int, grade: int) -> None:
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
        st.session_state[FAULT] = str(error)
        return
    _go(sheet, sheet.first_ungraded(after=place))


def _undo(store: FeedbackStore, sheet: Sheet) -> None:
    try:
        undone = store.undo(sheet.rater)
    except SecondLookError as error:
        st.session_state[FAULT] = str(error)
        return
    if undone is None:
        st.session_state[TOLD] = "There is no grade of yours to take back."
        return
    st.session_state[TOLD] = f"Taken back: grade {undone.grade} of passage {undone.passage_id} for “{undone.query}”."
    place = sheet.place_of(undone)
    if place is not None:
        _go(sheet, place)
