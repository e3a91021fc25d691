"""What is kept for an index apart from the grades: what it is, with a way on to Train and a button that removes it."""

from collections.abc import Callable

import streamlit as st

from app.background import Subject
from app.views.widgets.notices import note, plain, problem
from app.views.widgets.work import page_link
from indexing.errors import SecondLookError
from indexing.manifest import Manifest
from training.judgments.kept import Origin, build_of, remove_kept

WHERE = (
    "They are stored apart from the grades and marked; Train uses them only if you tick them there, under Expert, and "
    "never those of protected queries."
)
OTHER_BUILD = (
    "They were made on another build of this index and name passages by their ids: if these ids have other texts now, "
    "remove them."
)


def show_kept(origin: Origin, manifest: Manifest, sentence: str) -> None:
    """Show what the last press did, and what is kept in a sentence; no sentence is nothing kept."""
    if told := st.session_state.pop(_told_key(origin), ""):
        st.success(plain(told), icon=":material/check:")
    if fault := st.session_state.pop(_fault_key(origin), ""):
        problem(fault)
    if not sentence:
        return
    index = manifest.name
    note(sentence, *build_notes(origin, index, build=manifest.build))
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        page_link(Subject("the training", "train"), label="Train on them")
        with st.popover("Remove …", key=f"teach_{origin.name}_remove", width="content"):
            note("This removes the kept judgments. Versions that were trained on them stay.")
            st.button("Remove", key=f"teach_{origin.name}_remove_yes", on_click=_remove, args=(origin, index))


def keep_button(key: str, keep: Callable[[], None], *, replaced: str) -> None:
    """A button that keeps judgments; `replaced` is the index whose kept ones they replace, or empty."""
    st.button("Keep these", key=key, type="primary", icon=":material/check:", on_click=keep, width="content")
    note(WHERE + (f" They take the place of those that are kept for {replaced}." if replaced else ""))


def build_notes(origin: Origin, index: str, *, build: str) -> tuple[str, ...]:
    """What is to be known of what is kept where it was made on another build than this one.

    Raises:
        CorpusError: its record can't be read.
    """
    made_on = build_of(origin, index)
    return (OTHER_BUILD,) if made_on and made_on != build else ()


def tell(origin: Origin, done: str) -> None:
    """Say at the next drawing what a press did."""
    st.session_state[_told_key(origin)] = done


def tell_fault(origin: Origin, error: Exception) -> None:
    """Say at the next drawing why a press did nothing."""
    st.session_state[_fault_key(origin)] = str(error)


def _remove(origin: Origin, index: str) -> None:
    try:
        remove_kept(origin, index)
    except (SecondLookError, OSError) as error:
        tell_fault(origin, error)
        return
    tell(origin, f"Removed the judgments {origin.words} that were kept for {index}.")


def _told_key(origin: Origin) -> str:
    return f"teach_{origin.name}_told"


def _fault_key(origin: Origin) -> str:
    return f"teach_{origin.name}_fault"
