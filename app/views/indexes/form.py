"""The form for a new index: its passages and options, and buttons that estimate and build it."""

from dataclasses import asdict, dataclass
from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.views.indexes.source import CorpusSource, ReadingOptions, choose_reading, choose_source
from app.views.widgets.figures import heading_html
from app.views.widgets.notices import note, problem
from app.views.widgets.terms import meaning
from indexing.bm25.settings import PRESETS
from indexing.catalogue import index_names
from indexing.corpus.folder import corpus_files
from indexing.corpus.hub_names import is_hub_corpus
from indexing.dense.settings import PRESETS as DENSE_PRESETS
from indexing.errors import SecondLookError
from indexing.jobs.build_job import BuildJob, BuildRequest
from indexing.names import DEFAULT_BI_ENCODER
from indexing.words.languages import AUTO, language_names

BM25_NAMES = {name: f"{name} (k1 {k1:g}, b {b:g})" for name, (k1, b) in PRESETS.items()}
ENCODER_KEY = "indexes_bi_encoder"
DENSE_HELP = (
    "auto chooses by the number of passages: exact search (flat) as long as it takes only milliseconds, 4-bit codes "
    "(pq-fastscan) up to 2 million, clustered codes (ivf-pq) beyond. sq8 keeps 8 bits per dimension; hnsw is a graph."
)
LANGUAGE_HELP = (
    "BM25 compares words by this language's stems and leaves its stop words out. auto looks at a sample of the "
    "passages; none keeps every word as it is."
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
            source = choose_source(reading)
        if source is not None:
            _start(source, reading, _options(source, root), root)


def start_job(request: BuildRequest) -> None:
    """Start a job and redraw the page, or show why it can't start."""
    try:
        if not is_hub_corpus(request.corpus):
            corpus_files(Path(request.corpus))
        BuildJob.start(request, BuildJob.new_folder())
    except (SecondLookError, OSError) as error:
        problem(error)
        return
    st.rerun()


def _options(source: CorpusSource, root: Path) -> IndexOptions:
    left, middle, right = st.columns(3)
    name = left.text_input(
        "Name of the index",
        key="indexes_name",
        placeholder=source.suggested,
        help="The name by which you choose it on the other pages.",
    )
    chosen = name.strip() or source.suggested
    dense = middle.selectbox("Dense index", DENSE_PRESETS, key="indexes_dense", help=DENSE_HELP)
    bm25 = right.selectbox(
        "BM25",
        list(BM25_NAMES),
        index=list(BM25_NAMES).index(BuildRequest.bm25_preset),
        format_func=BM25_NAMES.__getitem__,
        key="indexes_bm25",
        help=f"{meaning('BM25')} k1 and b are the usual values for TREC DL, or values tuned on MS MARCO's dev queries.",
    )
    if chosen in index_names(root):
        note(f"Index {chosen} exists: the new build replaces it once it is complete, and the old build stays on disk.")
    encoder_place, language_place = st.columns([2, 1])
    return IndexOptions(
        name=chosen,
        dense=dense,
        bm25_preset=bm25,
        bi_encoder=_bi_encoder(encoder_place),
        language=language_place.selectbox(
            "Language of the passages", [AUTO, *language_names()], key="indexes_language", help=LANGUAGE_HELP
        ),
    )


def _bi_encoder(place: DeltaGenerator) -> str:
    chosen = place.selectbox(
        "Bi-encoder",
        list(dict.fromkeys([DEFAULT_BI_ENCODER, st.session_state.get(ENCODER_KEY) or DEFAULT_BI_ENCODER])),
        key=ENCODER_KEY,
        accept_new_options=True,
        help="The bundled one needs no network. You can also type a folder or a sentence-transformers name on the hub.",
    )
    return (chosen or "").strip() or DEFAULT_BI_ENCODER


def _start(source: CorpusSource, reading: ReadingOptions, options: IndexOptions, root: Path) -> None:
    """Show the two buttons, and start a job when one is pressed."""
    with st.container(horizontal=True, gap="small"):
        estimated = st.button("Estimate", key="indexes_estimate", icon=":material/timer:", width="content")
        started = st.button("Build", key="indexes_build", type="primary", icon=":material/build:", width="content")
    if not (estimated or started):
        return
    try:
        request = BuildRequest(
            **asdict(options),
            corpus=source.corpus,
            root=str(root),
            task="build" if started else "estimate",
            skip_bad_lines=reading.skip_bad_lines,
            id_field=reading.fields.id or "",
            text_field=reading.fields.text or "",
            title_field=reading.fields.title or "",
        )
    except SecondLookError as error:
        problem(error)
        return
    start_job(request)
