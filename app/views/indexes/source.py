"""Where a new index's passages come from: an upload, a folder on the server, or a collection on the hub."""

from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from pathlib import Path

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from app.views.widgets.notices import note, plain, problem
from indexing import places
from indexing.catalogue import index_names
from indexing.corpus import upload as uploads
from indexing.corpus.fields import Fields
from indexing.corpus.folder import corpus_files
from indexing.corpus.hub import layout
from indexing.corpus.hub_names import HUB_CORPORA, HUB_FORMS, folder_name
from indexing.corpus.preview import Preview, preview
from indexing.corpus.preview_corpus import preview_corpus
from indexing.errors import SecondLookError
from indexing.notes import counted

TEXT_LENGTH = 160  # characters of a passage that was read
WATCHED = 1_000  # files of a corpus, a change of which has it read again
UNKNOWN = "How many passages it holds, and how long a build of them takes, is known once it is read."
UPLOAD, FOLDER, HUB = "Upload a file", "A folder on the server", "A collection on the hub"
# Session keys: the kind of source, the chosen folder and collection, what was stored last, and what was read last.
KIND_KEY, FOLDER_KEY, COLLECTION_KEY, STORED_KEY, READ_KEY = (
    "indexes_source",
    "indexes_folder",
    "indexes_hub",
    "indexes_added",
    "indexes_read",
)
MEND = ". Mend the line, or have such lines left out under “How to read the file”."


@dataclass(frozen=True, kw_only=True)
class CorpusSource:
    """A corpus to build from."""

    suggested: str
    """A suggested name for its index."""
    corpus: str = ""
    """A path, or a name on the hub; empty for an upload."""
    file: UploadedFile | None = None
    """An upload, which isn't stored yet."""
    preview: Preview | None = None
    """What its beginning says; None where it can't be read beforehand."""


@dataclass(frozen=True)
class ReadingOptions:
    """How a corpus file is read."""

    fields: Fields
    skip_bad_lines: bool


@dataclass(frozen=True)
class _Read:
    """What the beginning of a source says, or why it can't be read."""

    key: object
    """Changes with the source and with how it is read."""
    suggested: str
    preview: Preview | None = None
    problem: str = ""


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


def choose_source(reading: ReadingOptions, root: Path) -> CorpusSource | None:
    """Fields for the corpus, and what was read of it; None while none is chosen, or it can't be built from."""
    _select_stored()
    kind = st.radio("Passages from", (UPLOAD, FOLDER, HUB), horizontal=True, key=KIND_KEY)
    if kind == HUB:
        return _hub_source(reading)
    return _upload_source(reading, root) if kind == UPLOAD else _folder_source(reading)


def remember_stored(stored: uploads.StoredUpload) -> None:
    """Have the form choose the folder of an upload when it is drawn next, and say what it holds."""
    left_out = f"; lines left out: {stored.left_out:,}" if stored.left_out else ""
    notes = "".join(f" {told}" for told in stored.notes)
    sentence = f"{stored.folder} contains {counted(stored.passages, 'passage')}{left_out}.{notes}"
    st.session_state[STORED_KEY] = (str(stored.folder), sentence)


def _select_stored() -> None:
    stored = st.session_state.pop(STORED_KEY, None)
    if stored is not None:
        folder, sentence = stored
        st.session_state[KIND_KEY] = FOLDER
        st.session_state[FOLDER_KEY] = folder
        st.success(plain(sentence), icon=":material/check:")


def preview_html(found: Preview) -> str:
    """Passages as they were read, so that a wrong column shows at once; their texts are data and are escaped."""
    rows = "".join(
        f'<p class="sl-text"><b>{escape(passage.id)}</b> {escape(_beginning(passage.title))}'
        f"{' · ' if passage.title else ''}{escape(_beginning(passage.text))}</p>"
        for passage in found.first
    )
    those = "Its first passages" if found.looked == 1 else f"Passages from {found.looked} of its {found.files:,} files"
    return f'<div class="sl-note"><p>{those}, as they are read:</p></div>{rows}'


def _beginning(text: str) -> str:
    return f"{text[:TEXT_LENGTH]}…" if len(text) > TEXT_LENGTH else text


def _upload_source(reading: ReadingOptions, root: Path) -> CorpusSource | None:
    try:
        limit = uploads.limit()
    except SecondLookError as error:
        problem(error)
        return None
    file = st.file_uploader(
        "Corpus file",
        type=[*uploads.STORED, ".gz"],
        key="indexes_upload",
        max_upload_size=limit,
        help="TSV lines of id, text and an optional title, or JSONL, CSV or Parquet with these fields; plain or .gz.",
    )
    if file is None:
        return None

    def look() -> Preview:
        uploads.check_upload_size(file.name, file.size, limit=limit, elsewhere=places.corpora())
        return preview(file.name, file, size=file.size, fields=reading.fields)

    read = _look((file.file_id, reading.fields), look, suggest=lambda: _suggest(file.name, root))
    if not _show(read, reading):
        return None
    return CorpusSource(suggested=read.suggested, file=file, preview=read.preview)


def _suggest(file_name: str, root: Path) -> str:
    """A name for an upload that neither a corpus nor an index has."""
    taken = {*index_names(root), *(path.name for path in places.corpora().glob("*"))}
    return uploads.free_name(uploads.suggested_name(file_name), taken)


def _folder_source(reading: ReadingOptions) -> CorpusSource | None:
    folders = [str(path) for path in uploads.known_corpora()]
    chosen = st.selectbox(
        "Folder",
        folders,
        key=FOLDER_KEY,
        placeholder="No corpus yet",
        help=f"The bundled sample, and the folders in {places.corpora()}.",
    )
    if chosen not in folders:
        return None
    return _on_disk(Path(chosen), reading, corpus=chosen)


def _on_disk(folder: Path, reading: ReadingOptions, *, corpus: str) -> CorpusSource | None:
    """A corpus in a folder, with what it says; `corpus` is the name under which a build is to read it."""
    try:
        files = corpus_files(folder)
        stats = [(str(file), file.stat()) for file in files[:WATCHED]]
    except (SecondLookError, OSError) as error:
        problem(error)
        return None
    watched = ((name, stat.st_size, stat.st_mtime_ns) for name, stat in stats)
    key = (*watched, len(files), reading.fields)
    read = _look(key, lambda: preview_corpus(folder, fields=reading.fields), suggest=lambda: folder.name)
    _show(read, reading)
    return None if read.problem else CorpusSource(suggested=folder.name, corpus=corpus, preview=read.preview)


def _hub_source(reading: ReadingOptions) -> CorpusSource | None:
    name = st.selectbox(
        "Collection",
        list(dict.fromkeys([*HUB_CORPORA, st.session_state.get(COLLECTION_KEY) or next(iter(HUB_CORPORA))])),
        key=COLLECTION_KEY,
        accept_new_options=True,
        help=f"Choose one of these, or type another: {plain(HUB_FORMS)}.",
    )
    if not name:
        return None
    name = name.strip()
    try:
        layout(name)
    except SecondLookError as error:
        problem(error)
        return None
    fetched = places.corpora() / folder_name(name)
    if fetched.is_dir():
        note(f"It was downloaded before, to {fetched}.")
        return _on_disk(fetched, reading, corpus=name)
    note(
        "It is downloaded from the Hugging Face hub first. How many passages it has, and how long a build of them "
        "takes, is known once it is here."
    )
    return CorpusSource(suggested=folder_name(name)[:64], corpus=name)


def _look(key: object, look: Callable[[], Preview | None], *, suggest: Callable[[], str]) -> _Read:
    """What `look` says of a source, read once; a suggested name stays as long as its source does."""
    last: _Read | None = st.session_state.get(READ_KEY)
    if last is None or last.key != key:
        suggested = suggest()
        try:
            last = _Read(key, suggested, look())
        except (SecondLookError, OSError) as error:
            last = _Read(key, suggested, problem=str(error))
        st.session_state[READ_KEY] = last
    return last


def _show(read: _Read, reading: ReadingOptions) -> bool:
    """Show what was read; whether it can be built from as it is read now."""
    if read.problem:
        problem(read.problem)
        return False
    found = read.preview
    if found is None:
        note(UNKNOWN)
        return True
    if found.faults and (not reading.skip_bad_lines or not found.first):
        problem(found.faults[0] + MEND)
        return False
    st.html(preview_html(found))
    if found.faults:
        note(f"Lines that can't be read are left out, such as {found.faults[0]}.")
    if found.notes:
        note(*found.notes)
    return True
