"""Deletes an index from its card, once a dialog has said what goes and what stays."""

from pathlib import Path

import streamlit as st

from app import environment, resources
from app.background import running_jobs
from app.views.indexes.opened import close_dialog
from app.views.widgets.figures import size_text
from app.views.widgets.notices import note, plain, problem
from indexing.errors import BusyError, SecondLookError
from indexing.jobs.remove import check_unread, index_contents, remove_index
from indexing.notes import counted
from training.jobs.jobs import TrainingJob

TOLD_KEY = "indexes_removed"  # session: what was deleted last, told once
STAYS = (
    "Its corpus with the judgments beside it stays, and so do your grades, what Teach keeps beside them, and the "
    "versions that were trained on it."
)


@st.dialog("Delete this index?", on_dismiss=close_dialog)
def confirm_removal(name: str, root: Path) -> None:
    """Show the dialog: what goes, what stays, and the button."""
    try:
        contents = index_contents(name, root=root)
        check_unused(name, root)
    except SecondLookError as error:
        problem(error)
        return
    what = f"{counted(contents.builds, 'build')}, {size_text(contents.bytes)} in {contents.folder}"
    st.markdown(plain(f"Index {name} goes, with all it holds: {what}."))
    note(STAYS)
    if waiting := _resumable(name, root):
        note(f"{waiting} can't be resumed without it.")
    if name == environment.default_index():
        note("It is the index that the other pages show first; they will ask for another one, or for a new build.")
    with st.container(horizontal=True, gap="small"):
        confirmed = st.button(
            "Delete", key="indexes_delete_yes", type="primary", icon=":material/delete:", width="content"
        )
        kept = st.button("Keep it", key="indexes_delete_no", width="content")
    if confirmed:
        _remove(name, root)
    if kept:
        close_dialog()
        st.rerun()


def tell_removed() -> None:
    """Say what was deleted last, once."""
    if told := st.session_state.pop(TOLD_KEY, ""):
        st.success(plain(told), icon=":material/check:")


def check_unused(name: str, root: Path) -> None:
    """Raise BusyError while a training, or work of this server, needs an index; `remove_index` sees to builds."""
    check_unread(name, root=root)
    for work in running_jobs():
        if getattr(work.subject.choice, "index", None) == name:
            title = work.subject.title
            raise BusyError(f"{title[:1].upper()}{title[1:]} uses index {name!r}; wait for it, or stop it.")


def _resumable(name: str, root: Path) -> str:
    """The trainings that ended before their version was made and need an index, as the beginning of a sentence."""
    folder = str((root / name).absolute())
    needs = [TrainingJob.needs(job.request) for job in TrainingJob.all() if job.can_resume]
    titles = " and ".join(needed.title for needed in needs if folder in needed.indexes)
    return f"{titles[:1].upper()}{titles[1:]}"


def _remove(name: str, root: Path) -> None:
    try:
        check_unused(name, root)
        contents = remove_index(name, root=root)
    except SecondLookError as error:
        problem(error)
        return
    resources.forget_indexes()
    close_dialog()
    st.session_state[TOLD_KEY] = f"Index {name} is deleted; {size_text(contents.bytes)} is free again."
    st.rerun()
