"""Where a new index's passages come from: a folder on the server, an upload, or a collection on the hub."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import streamlit as st

from app.views.widgets.notices import note, plain, problem
from indexing import places
from indexing.corpus import upload as uploads
from indexing.corpus.fields import Fields
from indexing.corpus.hub import layout
from indexing.corpus.hub_names import HUB_CORPORA, HUB_FORMS, folder_name
from indexing.corpus.upload import Upload
from indexing.errors import SecondLookError
from indexing.records import Passage

TEXT_LENGTH = 160  # characters of a passage that was read
FOLDER, UPLOAD, HUB = "A folder on the server", "Upload a file", "A collection on the hub"
# Session keys: the kind of source, the chosen folder, the chosen collection, and the corpus just uploaded.
KIND_KEY, FOLDER_KEY, COLLECTION_KEY, UPLOADED_KEY = (
    "indexes_source",
    "indexes_folder",
    "indexes_hub",
    "indexes_added",
)


@dataclass(frozen=True)
class CorpusSource:
    """A corpus to build from."""

    corpus: str
    """A path, or a name on the hub."""
    suggested: str
    """A suggested name for its index."""


@dataclass(frozen=True)
class ReadingOptions:
    """How a corpus file is read."""

    fields: Fields
    skip_bad_lines: bool


def choose_reading() -> ReadingOptions:
    """Fields for what is usually detected. Raises SettingsError."""
    with st.expander("How to read the file", key="indexes_reading"):
        skip_bad_lines = st.checkbox(
            "Leave out lines that can't be read",
            key="indexes_skip",
            help="Otherwise the first such line stops the upload or the build, which then reports the line.",
        )
        names = []
        for column, (kind, known) in zip(
            st.columns(3),
            (("Id field", "_id, id, pid …"), ("Text field", "text, passage, contents …"), ("Title field", "title …")),
            strict=True,
        ):
            key = f"indexes_{kind.lower().replace(' ', '_')}"
            text = column.text_input(
                kind,
                key=key,
                placeholder=known,
                help="Detected if empty. TSV lines without a header row have none.",
            )
            names.append(text.strip() or None)
    return ReadingOptions(Fields(*names), skip_bad_lines)


def choose_source(reading: ReadingOptions) -> CorpusSource | None:
    """Fields for the corpus; None while none is chosen."""
    _select_uploaded()
    kind = st.radio("Passages from", (FOLDER, UPLOAD, HUB), horizontal=True, key=KIND_KEY)
    if kind == UPLOAD:
        _upload(reading)
        return None
    return _hub_source() if kind == HUB else _folder_source()


def _select_uploaded() -> None:
    """After an upload, choose its folder."""
    uploaded = st.session_state.pop(UPLOADED_KEY, None)
    if uploaded is not None:
        folder, sentence, first = uploaded
        st.session_state[KIND_KEY] = FOLDER
        st.session_state[FOLDER_KEY] = folder
        st.success(plain(sentence), icon=":material/check:")
        st.html(passages_html(first))


def passages_html(passages: Sequence[Passage]) -> str:
    """Passages as they were read, so that a wrong column shows at once; their texts are data and are escaped."""
    rows = "".join(
        f'<p class="sl-text"><b>{escape(passage.id)}</b> {escape(_beginning(passage.title))}'
        f"{' · ' if passage.title else ''}{escape(_beginning(passage.text))}</p>"
        for passage in passages
    )
    return f'<div class="sl-note"><p>Read as:</p></div>{rows}'


def _beginning(text: str) -> str:
    return f"{text[:TEXT_LENGTH]}…" if len(text) > TEXT_LENGTH else text


def _folder_source() -> CorpusSource | None:
    folders = [str(path) for path in uploads.known_corpora()]
    chosen = st.selectbox(
        "Folder",
        folders,
        key=FOLDER_KEY,
        placeholder="No corpus yet",
        help=f"The bundled sample, and the folders in {places.corpora()}.",
    )
    return CorpusSource(chosen, Path(chosen).name) if chosen in folders else None


def _hub_source() -> CorpusSource | None:
    name = st.selectbox(
        "Collection",
        list(dict.fromkeys([*HUB_CORPORA, st.session_state.get(COLLECTION_KEY) or next(iter(HUB_CORPORA))])),
        key=COLLECTION_KEY,
        accept_new_options=True,
        help=f"Choose one of these, or type another: {plain(HUB_FORMS)}.",
    )
    if not name:
        return None
    try:
        layout(name.strip())
    except SecondLookError as error:
        problem(error)
        return None
    note("It is downloaded from the Hugging Face hub first, unless it is already here.")
    return CorpusSource(name.strip(), folder_name(name.strip())[:64])


def _upload(reading: ReadingOptions) -> None:
    try:
        limit = uploads.limit()
    except SecondLookError as error:
        problem(error)
        return
    file = st.file_uploader(
        "Corpus file",
        type=[*uploads.STORED, ".gz"],
        key="indexes_upload",
        max_upload_size=limit,
        help="TSV lines of id, text and an optional title, or JSONL, CSV or Parquet with these fields; plain or .gz.",
    )
    if file is None:
        return
    suggested = uploads.suggested_name(file.name)
    name = st.text_input(
        "Name of the corpus",
        key="indexes_corpus_name",
        placeholder=suggested,
        help=f"The name of its folder in {places.corpora()}.",
    )
    if not st.button("Check and save", key="indexes_keep", icon=":material/upload:", width="content"):
        return
    try:
        upload = Upload(file.name, name.strip() or suggested, limit, reading.fields, reading.skip_bad_lines)
        with st.spinner("Reading every line …"):
            corpus = uploads.store_upload(upload, file)
    except (SecondLookError, OSError) as error:
        problem(error)
        return
    passages = f"{corpus.passages:,} passage{'' if corpus.passages == 1 else 's'}"
    left_out = f"; lines left out: {corpus.left_out:,}" if corpus.left_out else ""
    notes = "".join(f" {told}" for told in corpus.notes)
    st.session_state[UPLOADED_KEY] = (
        str(corpus.folder),
        f"{corpus.folder} contains {passages}{left_out}.{notes}",
        corpus.first,
    )
    st.rerun()
