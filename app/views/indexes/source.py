"""Where a new index's passages come from: a folder that is here, an upload, or a collection of the hub."""

from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from app.views.widgets.notices import note, plain, problem
from indexing import places
from indexing.corpus import hub
from indexing.corpus import upload as uploads
from indexing.corpus.fields import Fields
from indexing.corpus.upload import Upload
from indexing.errors import SecondLookError

FOLDER, UPLOAD, HUB = "A folder on the server", "Upload a file", "A collection of the hub"
KIND, CHOSEN, COLLECTION, ADDED = "indexes_source", "indexes_folder", "indexes_hub", "indexes_added"


@dataclass(frozen=True)
class Source:
    """A corpus to build from."""

    corpus: str
    """A path, or a name on the hub."""
    suggested: str
    """A name for its index."""


@dataclass(frozen=True)
class Reading:
    """How a corpus's file is read."""

    fields: Fields
    skip_bad_lines: bool


def choose_reading() -> Reading:
    """Widgets for what is usually found by itself. Raises SettingsError."""
    with st.expander("How the file is read", key="indexes_reading"):
        left_out = st.checkbox(
            "Leave out lines that can't be read",
            key="indexes_skip",
            help="Otherwise the first such line stops the upload or the build, and is named.",
        )
        names = []
        for column, (kind, known) in zip(
            st.columns(3),
            (("Id field", "_id, id, pid …"), ("Text field", "text, passage, contents …"), ("Title field", "title …")),
            strict=True,
        ):
            key = f"indexes_{kind.lower().replace(' ', '_')}"
            text = column.text_input(kind, key=key, placeholder=known, help="Of JSONL and Parquet; else detected.")
            names.append(text.strip() or None)
    return Reading(Fields(*names), left_out)


def choose_source(reading: Reading) -> Source | None:
    """Widgets for the corpus; None while none is chosen."""
    _take_added()
    kind = st.radio("Passages from", (FOLDER, UPLOAD, HUB), horizontal=True, key=KIND)
    if kind == UPLOAD:
        _upload(reading)
        return None
    return _hub_source() if kind == HUB else _folder_source()


def _take_added() -> None:
    """After an upload: its folder is the one that is chosen."""
    added = st.session_state.pop(ADDED, None)
    if added is not None:
        folder, sentence = added
        st.session_state[KIND] = FOLDER
        st.session_state[CHOSEN] = folder
        st.success(plain(sentence), icon=":material/check:")


def _folder_source() -> Source | None:
    folders = [str(path) for path in uploads.known_corpora()]
    chosen = st.selectbox(
        "Folder",
        folders,
        key=CHOSEN,
        placeholder="There is none yet",
        help=f"The bundled sample, and what lies below {places.corpora()}.",
    )
    return Source(chosen, Path(chosen).name) if chosen in folders else None


def _hub_source() -> Source | None:
    name = st.selectbox(
        "Collection",
        list(dict.fromkeys([*hub.HUB_CORPORA, st.session_state.get(COLLECTION) or next(iter(hub.HUB_CORPORA))])),
        key=COLLECTION,
        accept_new_options=True,
        help=f"One of these, or type another: {plain(hub.FORMS)}.",
    )
    if not name:
        return None
    try:
        hub.layout(name.strip())
    except SecondLookError as error:
        problem(error)
        return None
    note("It is fetched from the Hugging Face hub first, unless it is there already.")
    return Source(name.strip(), hub.folder_name(name.strip())[:64])


def _upload(reading: Reading) -> None:
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
        help="TSV lines of id, text and perhaps title; JSONL or Parquet with such fields. Plain or .gz.",
    )
    if file is None:
        return
    suggested = uploads.suggested_name(file.name)
    name = st.text_input(
        "Name of the corpus",
        key="indexes_corpus_name",
        placeholder=suggested,
        help=f"Its folder below {places.corpora()}.",
    )
    if not st.button("Check and keep it", key="indexes_keep", icon=":material/upload:", width="content"):
        return
    try:
        upload = Upload(file.name, name.strip() or suggested, limit, reading.fields, reading.skip_bad_lines)
        with st.spinner("Reading every line …"):
            kept = uploads.keep(upload, file)
    except (SecondLookError, OSError) as error:
        problem(error)
        return
    found = f"{kept.passages:,} passage{'' if kept.passages == 1 else 's'}"
    left_out = f"; lines left out: {kept.left_out:,}" if kept.left_out else ""
    st.session_state[ADDED] = (str(kept.folder), f"{kept.folder} holds {found}{left_out}.")
    st.rerun()
