"""What grading yields: pinned expectations, agreement between raters, and files to download."""

import io
import tempfile
import zipfile
from functools import partial
from pathlib import Path

import streamlit as st

from app.resources import SharedPipeline
from app.views.teach.sheet import GradingSheet
from app.views.widgets.notices import hint, note, problem
from app.views.widgets.terms import meaning
from indexing import places
from indexing.errors import SecondLookError
from indexing.judged.queries import normalize_query
from indexing.records import PassageId
from training.judgments.agreement import agreements
from training.judgments.export import export_jsonl, export_qrels
from training.judgments.feedback import FeedbackStore, Grade
from training.judgments.quepid import export_judgments, judged_in_store
from training.versions import expectations
from training.versions.expectations import ExpectedPassage

LABEL_LENGTH = 70  # characters of a passage in a list
_PINNED_KEY = "teach_pinned"  # session: what the last click did, and why it failed


def show_pinning(sheet: GradingSheet) -> None:
    """Two fields to choose passages, a button that pins one above the other, and the expectations pinned already."""
    if st.session_state.get("teach_pin_sheet") != sheet.signature:  # the choices belong to another list
        st.session_state["teach_pin_sheet"] = sheet.signature
        st.session_state["teach_pin_above"] = st.session_state["teach_pin_below"] = None
    labels = {
        passage.id: f"{place} · {passage.content[:LABEL_LENGTH]}"
        for place, passage in enumerate(sheet.passages, start=1)
    }
    note(
        f"An expectation: {meaning('Expectation')}",
        "A version of the re-ranker that breaks one can't be promoted without an override.",
    )
    for side, label in (("above", "This passage"), ("below", "should rank above this one")):
        st.selectbox(
            label,
            list(labels),
            index=None,
            format_func=lambda passage_id: labels[passage_id],
            key=f"teach_pin_{side}",
            placeholder="Choose a passage",
        )
    above, below = (st.session_state[f"teach_pin_{side}"] for side in ("above", "below"))
    chosen = above is not None and below is not None
    st.button("Pin", key="teach_pin", on_click=_pin, args=(sheet, above, below), disabled=not chosen)
    success, fault = st.session_state.pop(_PINNED_KEY, ("", ""))
    if fault:
        problem(fault)
    if success:
        hint(success)
    _show_pinned(sheet.query)


def show_agreement(grades: list[Grade]) -> None:
    """A table with a row for every two raters who graded a common passage."""
    pairs = agreements(grades)
    if not pairs:
        note("No two raters have graded the same passage of this index for the same query yet.")
        return
    rows = [
        {
            "raters": " and ".join(pair.raters),
            "both graded": pair.judged,
            "same grade": f"{pair.same:.0%}",
            "kappa": _number(pair.kappa),
            "weighted kappa": _number(pair.weighted),
        }
        for pair in pairs
    ]
    st.dataframe(rows, hide_index=True, key="teach_agreement")
    note(
        f"Kappa: {meaning('Kappa')}",
        "Weighted kappa penalizes small differences less than large ones. A dash means that there are too few common "
        "grades.",
    )


def show_exports(store: FeedbackStore, shared: SharedPipeline, index: str, grades: list[Grade]) -> None:
    """Four files to download, each made when its button is pressed."""
    protected = sum(grade.protected for grade in grades)
    note(
        f"Grades of index {index}: {len(grades) - protected:,} for training, {protected:,} protected. "
        "TREC's and JSONL's files keep them apart: use qrels.dev.tsv, and lines marked “protected”, only to measure. "
        "Quepid's and OpenSearch's hold all of them, unmarked."
    )
    with st.container(horizontal=True, gap="small"):
        st.download_button(
            "TREC qrels (ZIP)",
            lambda: qrels_zip(store, index),
            file_name=f"feedback-{index}.zip",
            mime="application/zip",
            key="teach_export_qrels",
            icon=":material/download:",
            on_click="ignore",
            disabled=not grades,
        )
        st.download_button(
            "JSONL for training",
            lambda: jsonl_bytes(store, shared, index),
            file_name=f"feedback-{index}.jsonl",
            mime="application/jsonl",
            key="teach_export_jsonl",
            icon=":material/download:",
            on_click="ignore",
            disabled=not grades,
        )
        for form, name, mime in (("Quepid CSV", "csv", "text/csv"), ("OpenSearch JSON", "json", "application/json")):
            st.download_button(
                form,
                partial(exchange_bytes, store, index, name),
                file_name=f"feedback-{index}.{name}",
                mime=mime,
                key=f"teach_export_{name}",
                icon=":material/download:",
                on_click="ignore",
                disabled=not grades,
            )


def exchange_bytes(store: FeedbackStore, index: str, ending: str) -> bytes:
    """One index's grades as Quepid (`csv`) or OpenSearch (`json`) takes them."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"feedback-{index}.{ending}"
        export_judgments(judged_in_store(store, index), path)
        return path.read_bytes()


def qrels_zip(store: FeedbackStore, index: str) -> bytes:
    """One index's queries and qrels as a ZIP file. Raises CorpusError for an id that the files can't hold."""
    with tempfile.TemporaryDirectory() as folder, io.BytesIO() as packed:
        export_qrels(store, Path(folder), index=index)
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(Path(folder).iterdir()):
                archive.write(path, path.name)
        return packed.getvalue()


def jsonl_bytes(store: FeedbackStore, shared: SharedPipeline, index: str) -> bytes:
    """One index's grades with the passages' texts, in the format that training reads."""
    passages = shared.pipeline.index.passages
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "feedback.jsonl"
        export_jsonl(store, path, lambda _, passage_id: passages.by_id(PassageId(passage_id)).content, index=index)
        return path.read_bytes()


def _show_pinned(query: str) -> None:
    """Show every expectation of the query, by any rater, each with a button that removes it."""
    try:
        pinned = expectations.read_expectations(places.models() / expectations.FILE)
    except SecondLookError as error:
        problem(error)
        return
    for expectation in pinned:
        if normalize_query(expectation.query) == normalize_query(query):
            note(
                f"“{expectation.above.text[:LABEL_LENGTH]}” above “{expectation.below.text[:LABEL_LENGTH]}”, "
                f"pinned by {expectation.by} on {expectation.at[:10]}"
            )
            st.button("Unpin", key=f"teach_unpin_{expectation.key}", on_click=_unpin, args=(expectation.key,))


def _unpin(key: str) -> None:
    try:
        removed = expectations.remove_expectation(key, path=places.models() / expectations.FILE)
    except SecondLookError as error:  # it may have been removed already
        st.session_state[_PINNED_KEY] = ("", str(error))
    else:
        st.session_state[_PINNED_KEY] = (f"Unpinned {removed.key}: {removed.sentence()}.", "")


def _pin(sheet: GradingSheet, above: PassageId, below: PassageId) -> None:
    texts = {passage.id: passage.content for passage in sheet.passages}
    try:
        expectation = expectations.add_expectation(
            sheet.query,
            above=ExpectedPassage(above, texts[above]),
            below=ExpectedPassage(below, texts[below]),
            by=sheet.rater,
            path=places.models() / expectations.FILE,
        )
    except SecondLookError as error:
        st.session_state[_PINNED_KEY] = ("", str(error))
    else:
        st.session_state[_PINNED_KEY] = (f"Pinned as {expectation.key}: {expectation.sentence()}.", "")


def _number(kappa: float | None) -> str:
    return "–" if kappa is None else f"{kappa:.2f}"
