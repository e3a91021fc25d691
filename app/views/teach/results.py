"""What comes of grading: pinned expectations, how far raters agree, and files to take away."""

import io
import tempfile
import zipfile
from pathlib import Path

import streamlit as st

from app.resources import Opened
from app.views.teach.sheet import Sheet
from app.views.widgets.notices import hint, note, problem
from indexing import places
from indexing.corpus.judged import normalised
from indexing.errors import SecondLookError
from indexing.records import PassageId
from training.judgments.agreement import agreements
from training.judgments.export import export_jsonl, export_qrels
from training.judgments.feedback import FeedbackStore, Grade
from training.versions import expectations
from training.versions.expectations import Pinned

LABEL = 70  # characters of a passage in a list
_PINNED = "teach_pinned"


def show_pinning(sheet: Sheet) -> None:
    """What is pinned for the query; and two of its passages to choose, with a button that pins one above the other."""
    if st.session_state.get("teach_pin_sheet") != sheet.signature:  # what was chosen is of another list
        st.session_state["teach_pin_sheet"] = sheet.signature
        st.session_state["teach_pin_above"] = st.session_state["teach_pin_below"] = None
    labels = {
        passage.id: f"{place} · {passage.content[:LABEL]}" for place, passage in enumerate(sheet.passages, start=1)
    }
    note("A new re-ranker that breaks a pinned expectation is not promoted.")
    for side, told in (("above", "This passage"), ("below", "should stand above this one")):
        st.selectbox(
            told,
            list(labels),
            index=None,
            format_func=lambda passage_id: labels[passage_id],
            key=f"teach_pin_{side}",
            placeholder="Choose a passage",
        )
    above, below = (st.session_state[f"teach_pin_{side}"] for side in ("above", "below"))
    chosen = above is not None and below is not None
    st.button("Pin", key="teach_pin", on_click=_pin, args=(sheet, above, below), disabled=not chosen)
    told, fault = st.session_state.pop(_PINNED, ("", ""))
    if fault:
        problem(fault)
    if told:
        hint(told)
    _show_pinned(sheet.query)


def show_agreement(grades: list[Grade]) -> None:
    """A line for every two raters who graded a passage in common."""
    found = agreements(grades)
    if not found:
        note("No passage of this index has grades of two raters for the same query yet.")
        return
    rows = [
        {
            "raters": " and ".join(one.raters),
            "both graded": one.judged,
            "same grade": f"{one.same:.0%}",
            "kappa": _number(one.kappa),
            "weighted kappa": _number(one.weighted),
        }
        for one in found
    ]
    st.dataframe(rows, hide_index=True, key="teach_agreement")
    note(
        "Kappa is 1 for full agreement and 0 for what chance gives; the weighted one forgives near misses more than "
        "far ones. A dash stands where there is too little to tell."
    )


def show_exports(store: FeedbackStore, opened: Opened, index: str, grades: list[Grade]) -> None:
    """Two files to download, made when they are asked for."""
    protected = sum(grade.protected for grade in grades)
    note(
        f"Grades of index {index}: {len(grades) - protected:,} to train on, {protected:,} protected. "
        "The files keep them apart: qrels.dev.tsv, and lines that say “protected”, are to measure with."
    )
    with st.container(horizontal=True, gap="small"):
        st.download_button(
            "TREC qrels (zip)",
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
            lambda: jsonl_bytes(store, opened, index),
            file_name=f"feedback-{index}.jsonl",
            mime="application/jsonl",
            key="teach_export_jsonl",
            icon=":material/download:",
            on_click="ignore",
            disabled=not grades,
        )


def qrels_zip(store: FeedbackStore, index: str) -> bytes:
    """One index's queries and qrels as a zip file. Raises CorpusError as `export_qrels` does."""
    with tempfile.TemporaryDirectory() as folder, io.BytesIO() as packed:
        export_qrels(store, Path(folder), index=index)
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(Path(folder).iterdir()):
                archive.write(path, path.name)
        return packed.getvalue()


def jsonl_bytes(store: FeedbackStore, opened: Opened, index: str) -> bytes:
    """One index's grades with the passages' texts, as training reads them."""
    passages = opened.pipeline.index.passages
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "feedback.jsonl"
        export_jsonl(store, path, lambda _, passage_id: passages.by_id(PassageId(passage_id)).content, index=index)
        return path.read_bytes()


def _show_pinned(query: str) -> None:
    """Every expectation of the query, whoever pinned it, each with a button that takes it away."""
    try:
        every = expectations.expectations(places.models() / expectations.FILE)
    except SecondLookError as error:
        problem(error)
        return
    for item in every:
        if normalised(item.query) == normalised(query):
            note(
                f"“{item.above.text[:LABEL]}” above “{item.below.text[:LABEL]}”, pinned by {item.by} on {item.at[:10]}"
            )
            st.button("Unpin", key=f"teach_unpin_{item.key}", on_click=_unpin, args=(item.key,))


def _unpin(key: str) -> None:
    try:
        gone = expectations.remove(key, path=places.models() / expectations.FILE)
    except SecondLookError as error:  # it may be gone already
        st.session_state[_PINNED] = ("", str(error))
    else:
        st.session_state[_PINNED] = (f"Unpinned {gone.key}: {gone.sentence()}.", "")


def _pin(sheet: Sheet, above: PassageId, below: PassageId) -> None:
    texts = {passage.id: passage.content for passage in sheet.passages}
    try:
        made = expectations.add(
            sheet.query,
            above=Pinned(above, texts[above]),
            below=Pinned(below, texts[below]),
            by=sheet.rater,
            path=places.models() / expectations.FILE,
        )
    except SecondLookError as error:
        st.session_state[_PINNED] = ("", str(error))
    else:
        st.session_state[_PINNED] = (f"Pinned as {made.key}: {made.sentence()}.", "")


def _number(kappa: float | None) -> str:
    return "–" if kappa is None else f"{kappa:.2f}"
