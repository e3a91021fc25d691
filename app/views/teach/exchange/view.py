"""Judgments of Quepid and OpenSearch on the Teach page: a file, what it holds for the index, and what is kept."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from app.views.teach.kept import keep_button, show_kept, tell, tell_fault
from app.views.teach.readings import forget, read_within, show_earlier
from app.views.widgets.figures import Figure, figures_html
from app.views.widgets.notices import note, problem
from indexing.corpus import upload as uploads
from indexing.errors import SecondLookError
from indexing.index import Index
from indexing.notes import counted, shown
from training.judgments.feedback import HIGHEST_GRADE, FeedbackStore
from training.judgments.imported import (
    ENDINGS,
    ImportedJudgments,
    judgment_files,
    keep_imported,
    read_imported,
)
from training.judgments.kept import IMPORTED, KeptSet, kept_set
from training.judgments.received import SentFile, received

_SLOTS = ("teach_import_read", "teach_import_fit")  # session: the file as read, and of it what an index holds
_UPLOAD = "teach_import_upload"
ABOUT = (
    "Judgments that were made elsewhere: a CSV of query, docid and rating, as Quepid exports it and OpenSearch takes "
    "it, or the JSON of an OpenSearch judgment list. Docids must be ids of this index's passages."
)
HeldOut = Callable[[str], bool]
"""Whether a query is in a judged split other than train."""


class Split(NamedTuple):
    """The queries of a file, by what they may be used for."""

    train: int
    protected: tuple[str, ...]


def show_exchange(index: Index, store: FeedbackStore, held_out: Callable[[], HeldOut]) -> None:
    """Show the part of the page; what is pressed in it draws nothing else anew."""
    st.fragment(_section)(index, store, held_out)


def _section(index: Index, store: FeedbackStore, held_out: Callable[[], HeldOut]) -> None:
    note(ABOUT)
    name = index.manifest.name
    try:
        kept = kept_set(IMPORTED, name)
        show_kept(IMPORTED, index.manifest, _kept_sentence(kept, name))
        given = _choose_file()
        judgments = read_within(_SLOTS, given, _read, index, key=lambda file: file.file_id)
        if judgments is None:
            return
        split = _split(judgments, store, held_out())
    except (SecondLookError, OSError) as error:
        problem(error)
        return
    if given is None:
        show_earlier(judgments.file.name, _SLOTS, key="teach_import_forget")
    st.html(figures_html(_figures(judgments, split)))
    note(*_notes(judgments, split, name))
    keep_button("teach_import_keep", partial(_keep, judgments, index), replaced=name if kept else "")


def _kept_sentence(kept: KeptSet | None, index: str) -> str:
    """What is kept of the index; empty for nothing."""
    if kept is None:
        return ""
    return (
        f"Kept for {index}: {counted(kept.judgments, 'judgment')} of {counted(kept.queries, 'query', 'queries')}, from "
        f"{kept.made_by}, on {kept.at[:10]}."
    )


def _choose_file() -> UploadedFile | None:
    """The field for the file. Raises SettingsError for an invalid upload limit."""
    return st.file_uploader(
        "File of judgments",
        type=list(ENDINGS),
        key=_UPLOAD,
        on_change=_forget_removed,
        max_upload_size=uploads.limit(),
        help="A line that can't be read is named with its place and the reason, and nothing is kept then.",
    )


def _forget_removed() -> None:
    """Forget the file when the user has taken it away, which a change of the page doesn't."""
    if not st.session_state.get(_UPLOAD):
        forget(*_SLOTS)


def _read(given: UploadedFile) -> ImportedJudgments:
    with received([SentFile(given.name, given)], judgment_files(), limit=uploads.limit()) as sent:
        return read_imported(sent.paths[0], named=sent.named)


def _split(judgments: ImportedJudgments, store: FeedbackStore, held_out: HeldOut) -> Split:
    texts = [query.text for query in judgments.queries]
    drawn = store.protected(texts)
    protected = tuple(text for text in texts if text in drawn or held_out(text))
    return Split(len(texts) - len(protected), protected)


def _figures(judgments: ImportedJudgments, split: Split) -> list[Figure]:
    return [
        Figure("Queries", f"{len(judgments.queries):,}", "with a judged passage that the index holds"),
        Figure("Judgments", f"{judgments.judgments:,}", "of passages that the index holds"),
        Figure("To train on", f"{split.train:,}", "queries that aren't protected"),
        Figure("Only to measure", f"{len(split.protected):,}", "queries that are protected"),
        *(Figure(f"Grade {grade}", f"{count:,}") for grade, count in judgments.grades.items()),
    ]


def _notes(judgments: ImportedJudgments, split: Split, index: str) -> list[str]:
    """What was left out, what is protected, and whether grades have another scale than this page's."""
    notes = [
        f"Read {counted(judgments.judgments + judgments.left_out, 'judgment')} of "
        f"{counted(judgments.read_queries, 'query', 'queries')} in {judgments.file.name}.",
        *judgments.notes,
    ]
    if judgments.absent:
        notes.append(
            f"{counted(len(judgments.absent), 'passage')} left out, with {counted(judgments.left_out, 'judgment')}: "
            f"index {index} doesn't hold {shown(judgments.absent)}."
        )
    if split.protected:
        are = "query is" if len(split.protected) == 1 else "queries are"
        notes.append(f"{len(split.protected):,} {are} protected and never trained on: {shown(split.protected)}.")
    if (highest := max(judgments.grades)) > HIGHEST_GRADE:
        notes.append(
            f"Grades go up to {highest:,}, where this page's go up to {HIGHEST_GRADE}; a training takes them as "
            "they are."
        )
    return notes


def _keep(judgments: ImportedJudgments, index: Index) -> None:
    try:
        keep_imported(judgments, index.manifest.name, build=index.manifest.build)
    except (SecondLookError, OSError) as error:
        tell_fault(IMPORTED, error)
        return
    queries = counted(len(judgments.queries), "query", "queries")
    tell(IMPORTED, f"Kept {counted(judgments.judgments, 'judgment')} of {queries}, marked as brought in from a file.")
