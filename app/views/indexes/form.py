"""The form for a new index: its passages and settings, about what a build will take, and the button that builds it."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.runtime.uploaded_file_manager import UploadedFile

from app.views.indexes.about import show_about
from app.views.indexes.source import (
    CorpusSource,
    ReadingOptions,
    choose_reading,
    choose_source,
    remember_stored,
)
from app.views.widgets.figures import heading_html
from app.views.widgets.notices import note, problem
from app.views.widgets.terms import meaning
from indexing import places
from indexing.bm25.settings import PRESETS
from indexing.building.settings import BuildSettings
from indexing.catalogue import index_names
from indexing.corpus import upload as uploads
from indexing.corpus.folder import corpus_files
from indexing.corpus.hub_names import is_hub_corpus
from indexing.corpus.upload import Upload, store_upload
from indexing.dense.settings import PRESETS as DENSE_PRESETS
from indexing.errors import SecondLookError
from indexing.jobs.build_job import BuildJob, BuildRequest
from indexing.names import DEFAULT_BI_ENCODER
from indexing.words.languages import AUTO, language_names

BM25_NAMES = {name: f"{name} (k1 {k1:g}, b {b:g})" for name, (k1, b) in PRESETS.items()}
ENCODER_KEY = "indexes_bi_encoder"
DENSE_CHOICES = (
    "auto chooses by their number: exact search (flat) as long as it takes only milliseconds, 4-bit codes "
    "(pq-fastscan) up to 2 million, clustered codes (ivf-pq) beyond. sq8 keeps 8 bits per dimension; hnsw is a graph."
)
LANGUAGE_CHOICES = "auto looks at a sample of the passages; none keeps every word as it is."
BI_ENCODER_CHOICES = (
    "The bundled one needs no network. You can also type a folder or a sentence-transformers name on the hub."
)
BUILD_HELP = "Stores an upload in the folder of corpora, and starts the build."
ESTIMATE_HELP = (
    "Encodes the first 1,000 passages and works out time, memory and disk from them. An upload is stored for that."
)


@dataclass(frozen=True, kw_only=True)
class IndexOptions:
    """How the index is built; the fields are those of BuildRequest."""

    name: str
    dense: str
    bm25_preset: str
    bi_encoder: str
    language: str


def show_form(root: Path) -> None:
    """Show the fields, and two buttons that start a job."""
    st.html(heading_html("Build an index", "continues if you leave this page"))
    with st.container(border=True, key="indexes_form"):
        source_place, reading_place = st.container(), st.container()
        try:
            with reading_place:
                reading = choose_reading()
        except SecondLookError as error:
            problem(error)
            return
        with source_place:
            source = choose_source(reading, root)
        if source is not None:
            name = _name(source, root)
            with st.expander("How to build it", key="indexes_settings"):
                stored_as = _stored_as(name) if source.file is not None else ""
                options = _options(name)
            _start(source, reading, options, stored_as, root)


def start_job(request: BuildRequest, *, fill: Callable[[Path], object] = lambda _: None) -> bool:
    """Start a job, for which `fill` makes what it needs; False, with the reason on the page, where it can't start."""
    try:
        BuildJob.start(request, BuildJob.new_folder(), fill=fill)
    except (SecondLookError, OSError) as error:
        problem(error)
        return False
    return True


def start_and_redraw(request: BuildRequest) -> None:
    """Start a job for a corpus that is there and redraw the page, or show why it can't start."""
    if start_job(request, fill=lambda _: _check_corpus(request.corpus)):
        st.rerun()


def _check_corpus(corpus: str) -> None:
    if not is_hub_corpus(corpus):
        corpus_files(Path(corpus))


def _name(source: CorpusSource, root: Path) -> str:
    typed = st.text_input(
        "Name of the index",
        key="indexes_name",
        placeholder=source.suggested,
        help=f"{meaning('Index')} You choose it by this name on the other pages.",
        width=420,
    )
    chosen = typed.strip() or source.suggested
    if chosen in index_names(root):
        note(f"Index {chosen} exists: the new build replaces it once it is complete, and the old build stays on disk.")
    return chosen


def _stored_as(name: str) -> str:
    """The name under which an upload is stored: that of its index, unless another is typed."""
    typed = st.text_input(
        "Name of the corpus",
        key="indexes_corpus_name",
        placeholder=name,
        help=f"The file is stored below this name in {places.corpora()}.",
        width=420,
    )
    return typed.strip() or name


def _options(name: str) -> IndexOptions:
    left, right = st.columns(2)
    dense = left.selectbox(
        "Dense index", DENSE_PRESETS, key="indexes_dense", help=f"{meaning('Dense index')} {DENSE_CHOICES}"
    )
    bm25 = right.selectbox(
        "BM25",
        list(BM25_NAMES),
        index=list(BM25_NAMES).index(BuildRequest.bm25_preset),
        format_func=BM25_NAMES.__getitem__,
        key="indexes_bm25",
        help=f"{meaning('BM25')} k1 and b are the usual values for TREC DL, or values tuned on MS MARCO's dev queries.",
    )
    encoder_place, language_place = st.columns(2)
    return IndexOptions(
        name=name,
        dense=dense,
        bm25_preset=bm25,
        bi_encoder=_bi_encoder(encoder_place),
        language=language_place.selectbox(
            "Language",
            [AUTO, *language_names()],
            key="indexes_language",
            help=f"{meaning('Language')} {LANGUAGE_CHOICES}",
        ),
    )


def _bi_encoder(place: DeltaGenerator) -> str:
    chosen = place.selectbox(
        "Bi-encoder",
        list(dict.fromkeys([DEFAULT_BI_ENCODER, st.session_state.get(ENCODER_KEY) or DEFAULT_BI_ENCODER])),
        key=ENCODER_KEY,
        accept_new_options=True,
        help=f"{meaning('Bi-encoder')} {BI_ENCODER_CHOICES}",
    )
    return (chosen or "").strip() or DEFAULT_BI_ENCODER


def _start(source: CorpusSource, reading: ReadingOptions, options: IndexOptions, stored_as: str, root: Path) -> None:
    """Show the two buttons beside about what a build will take, and start a job when one is pressed."""
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        started = st.button(
            "Build", key="indexes_build", type="primary", icon=":material/build:", width="content", help=BUILD_HELP
        )
        estimated = st.button(
            "Estimate exactly", key="indexes_estimate", icon=":material/timer:", width="content", help=ESTIMATE_HELP
        )
        if source.preview is not None:
            settings = BuildSettings(bi_encoder=options.bi_encoder, dense=options.dense)
            show_about(source.preview, settings, root=root)
    if not (estimated or started):
        return
    try:
        request = BuildRequest(
            **asdict(options),
            corpus=source.corpus or str(places.corpora() / stored_as),
            root=str(root),
            task="build" if started else "estimate",
            skip_bad_lines=reading.skip_bad_lines,
            id_field=reading.fields.id or "",
            text_field=reading.fields.text or "",
            title_field=reading.fields.title or "",
        )
        if source.file is None:
            start_and_redraw(request)
        else:
            upload = Upload(source.file.name, stored_as, uploads.limit(), reading.fields, reading.skip_bad_lines)
            _store_and_start(source.file, upload, request)
    except SecondLookError as error:
        problem(error)


def _store_and_start(file: UploadedFile, upload: Upload, request: BuildRequest) -> None:
    """Store the upload once nothing prevents its job, start that, and redraw the page; or show why it can't start."""

    def store(_: Path) -> None:
        file.seek(0)
        remember_stored(store_upload(upload, file))

    with st.spinner("Reading every line …"):
        started = start_job(request, fill=store)
    if started:
        st.rerun()
