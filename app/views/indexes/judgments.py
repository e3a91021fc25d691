"""Queries and judgments beside an index: which its corpus has, and a dialog that adds some after showing them."""

from dataclasses import dataclass
from pathlib import Path

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from app.resources import judged_beside
from app.views.indexes.opened import close_dialog
from app.views.widgets.figures import Figure, figures_html
from app.views.widgets.notices import hint, note, plain, problem, shown
from indexing.corpus import upload as uploads
from indexing.errors import SecondLookError
from indexing.index import corpus_folder
from indexing.notes import counted
from training.judgments.beside import ENDINGS, SentJudgments, free_splits, keep_beside, read_sent
from training.judgments.received import SentFile

COUNTED = 20_000_000  # bytes of files; larger ones are named and not read only to count them
USES = {
    "test": "test: to measure with, never to choose or train by",
    "dev": "dev: to choose and decide by",
    "train": "train: to train on",
}
READ_KEY = "indexes_judged_read"  # session: what was sent last, and what it says or why it couldn't be read
TOLD_KEY = "indexes_judged_kept"  # session: what was kept last, told once
JUDGMENTS_HELP = (
    "TREC's or BEIR's qrels, a table whose header names its columns, Quepid's CSV (query,docid,rating) or OpenSearch's "
    "judgment list as JSON; plain or .gz."
)
QUERIES_HELP = "Lines of id and text, or JSONL; not needed for Quepid's and OpenSearch's, which hold the texts."


@dataclass(frozen=True)
class _Read:
    """What was sent, or why it can't be used."""

    key: object
    """Changes with the files, the index and the use."""
    sent: SentJudgments | None = None
    problem: str = ""


def judged_figure(name: str, root: Path) -> Figure:
    """Which judged sets the corpus of an index has, and how many queries each."""
    try:
        folder = corpus_folder(name, root=root)
        counts = _counts(folder)
    except (SecondLookError, OSError) as error:
        return Figure("Judged queries", "can't be read", shown(str(error)))
    about = shown(f"beside the corpus, in {folder}")
    listed = ", ".join(split if count is None else f"{split} {count:,}" for split, count in counts.items())
    return Figure("Judged queries", listed or "none", about)


def _counts(folder: Path) -> dict[str, int | None]:
    """The number of judged queries of each split, in the order of their use; None for sets too large to be counted."""
    found: dict[str, int | None] = {split: None for split, path in free_splits(folder).items() if path is not None}
    if not found or sum(path.stat().st_size for path in folder.glob("q*") if path.is_file()) > COUNTED:
        return found
    return {split: len(judged.queries) for split, judged in judged_beside(folder).items()}


def tell_kept() -> None:
    """Say what was added last, once."""
    if told := st.session_state.pop(TOLD_KEY, ""):
        st.success(plain(told), icon=":material/check:")


@st.dialog("Add queries with judgments", width="medium", on_dismiss=close_dialog)
def add_judgments(name: str, root: Path) -> None:
    """Show the dialog: files, what they say of the index, and the button that keeps them beside its corpus."""
    try:
        folder = corpus_folder(name, root=root)
        splits = free_splits(folder)
        free = [split for split in USES if splits[split] is None]
        if not free:
            hint(f"The corpus of {name} has train, dev and test judgments already, in {folder}; none is replaced here.")
            return
        limit = uploads.limit()
    except SecondLookError as error:
        problem(error)
        return
    note(f"They are kept beside the corpus, in {folder}, and count for every index of it.")
    judgments = _uploader("Judgments", "judgments", JUDGMENTS_HELP, limit)
    queries = _uploader("Queries, where the judgments name them by id", "queries", QUERIES_HELP, limit)
    use = st.selectbox("What they are for", free, key="indexes_judged_use", format_func=USES.__getitem__)
    if taken := [split for split in USES if splits[split] is not None]:
        note(f"There already: {', '.join(taken)}.")
    if judgments is None:
        return
    read = _look(judgments, queries, index=name, split=use, root=root, limit=limit)
    if read.sent is None:
        problem(read.problem)
        return
    _show(read.sent)
    if st.button("Keep them", key="indexes_judged_keep", type="primary", icon=":material/check:", width="content"):
        _keep(read.sent, folder, name)


def _uploader(label: str, kind: str, about: str, limit: int) -> UploadedFile | None:
    return st.file_uploader(label, type=list(ENDINGS), key=f"indexes_judged_{kind}", max_upload_size=limit, help=about)


def _look(
    judgments: UploadedFile, queries: UploadedFile | None, *, index: str, split: str, root: Path, limit: int
) -> _Read:
    """What was sent, read once."""
    key = (judgments.file_id, queries and queries.file_id, index, split)
    last: _Read | None = st.session_state.get(READ_KEY)
    if last is None or last.key != key:
        texts = None if queries is None else SentFile(queries.name, queries)
        try:
            sent = read_sent(
                SentFile(judgments.name, judgments), texts, index=index, split=split, root=root, limit=limit
            )
            last = _Read(key, sent)
        except (SecondLookError, OSError) as error:
            last = _Read(key, problem=str(error))
        st.session_state[READ_KEY] = last
    return last


def _show(sent: SentJudgments) -> None:
    """What was read, and what of it doesn't fit the index."""
    grades = [grade for judged in sent.judged.qrels.values() for grade in judged.values()]
    st.html(
        figures_html(
            [
                Figure("Queries", f"{len(sent.judged.queries):,}"),
                Figure("Judgments", f"{len(grades):,}"),
                Figure("Relevant", f"{sum(grade > 0 for grade in grades):,}", "with a grade of 1 or more"),
                Figure("Grades", f"{min(grades)} to {max(grades)}"),
            ]
        )
    )
    notes = list(sent.fitted.notes)
    if sent.protected:
        are = "is" if sent.protected == 1 else "are"
        notes.append(
            f"{counted(sent.protected, 'query', 'queries')} of them {are} protected, as dev or test queries: "
            "no training uses them."
        )
    if notes:
        note(*notes)
    else:
        note("The index holds every judged passage.")


def _keep(sent: SentJudgments, folder: Path, name: str) -> None:
    try:
        keep_beside(sent.judged, folder)
    except SecondLookError as error:
        problem(error)
        return
    close_dialog()
    queries = counted(len(sent.judged.queries), "query", "queries")
    st.session_state[TOLD_KEY] = (
        f"The {sent.judged.split} set of {name} now has {queries} with {counted(sent.judgments, 'judgment')}, "
        f"in {folder}."
    )
    st.rerun()
