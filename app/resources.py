"""Opens what the pages share: once, and anew when a build or a promotion has changed its files."""

import gc
import os
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from indexing import places
from indexing.bm25.settings import Bm25Settings
from indexing.catalogue import current_build
from indexing.corpus.judged import JudgedSet, judged_sets
from indexing.dense.encoder import BiEncoder
from indexing.errors import IndexingError, ModelError, SecondLookError, SettingsError
from indexing.index import Index, open_corpus_folder, open_index
from indexing.manifest import FILE, Manifest
from indexing.pretrained import bundled_path
from search.load import DEFAULT_RERANKER, open_reranker, reranker_path
from search.pipeline import RetrieveAndRerank
from search.rerank.reranker import Reranker
from search.settings import PipelineSettings
from search.trace import SearchTrace

WAITING = "Loading the index and models …"
one_at_a_time = threading.Lock()
"""Every use of a model takes it: tokenizers are not made for two threads at once."""


@dataclass(frozen=True)
class LoadedReranker:
    """A re-ranker, or one sentence that says why there is none."""

    reranker: Reranker | None
    problem: str = ""


@dataclass(frozen=True)
class Opened:
    """A pipeline that is ready to search. It is shared by all sessions: change nothing in it."""

    pipeline: RetrieveAndRerank
    fingerprint: str
    """Changes with the index's build and with the re-ranker's files."""
    problem: str
    """Why there is no re-ranker although one was asked for; else empty."""

    def search(self, query: str, settings: PipelineSettings) -> SearchTrace:
        """Answer one query, one at a time in this process. Raises SettingsError, ModelError."""
        with one_at_a_time:
            return self.pipeline.search(query, settings)


def index_root() -> Path:
    """The folder of all indexes."""
    return places.indexes()


def default_index() -> str:
    """The index that is searched unless another is chosen: SECOND_LOOK_INDEX or `sample`."""
    return os.environ.get("SECOND_LOOK_INDEX") or "sample"


def default_reranker() -> str:
    """The re-ranker that is used unless another is chosen: SECOND_LOOK_RERANKER or `default`."""
    return os.environ.get("SECOND_LOOK_RERANKER") or DEFAULT_RERANKER


def own_bm25(index: str) -> Bm25Settings | None:
    """An index's own BM25 settings; None where it can't have others, or can't be opened."""
    with suppress(IndexingError, SettingsError):
        manifest = Manifest.load(current_build(index, root=index_root()))
        return manifest.bm25 if manifest.has_postings else None
    return None


def open_pipeline(index: str, reranker: str) -> Opened:
    """An index with its bi-encoder and, where it can be loaded, the re-ranker.

    Raises:
        IndexingError, ModelError, HubError: the first stage can't be opened; a re-ranker's fault is in `problem`.
    """
    root = index_root()
    build = f"{index}:{_files(current_build(index, root=root) / FILE)}"
    try:
        path = reranker_path(reranker)
    except SecondLookError as error:
        return Opened(_pipeline(index, str(root), build, "", ""), build, str(error))
    files = _files(Path(path)) if path else ""
    loaded = _reranker(path, files)
    if loaded.reranker is None:
        return Opened(_pipeline(index, str(root), build, "", ""), build, loaded.problem)
    return Opened(_pipeline(index, str(root), build, path, files), f"{build}:{path}:{files}", "")


@st.cache_resource(show_spinner=False)
def settle(page: str) -> None:
    """Called when a page was drawn for the first time, with all that it imports."""
    del page  # it makes this one call a page
    _leave_to_stay()


def _leave_to_stay() -> None:
    """Keep what is loaded by now out of garbage collections.

    Streamlit collects after every run of a page or fragment; walking all of torch's objects each second takes a third
    of a second of every thread.
    """
    gc.collect()
    gc.freeze()


def retry_rerankers() -> None:
    """Forget the re-rankers that are open or could not be opened."""
    _reranker.clear()


def judgments(opened: Opened) -> dict[str, JudgedSet]:
    """The judged splits beside the corpus that an index was built from. Raises CorpusError."""
    folder = open_corpus_folder(opened.pipeline.index)
    return _judged_sets(str(folder), ",".join(_files(path) for path in sorted(folder.glob("q*"))))


@st.cache_resource(max_entries=4, show_spinner=WAITING)
def _pipeline(index: str, root: str, build: str, reranker: str, files: str) -> RetrieveAndRerank:
    opened = _index(index, root, build)
    name = opened.manifest.bi_encoder
    encoder = _bi_encoder(name, _files(Path(bundled_path(name))))
    pipeline = RetrieveAndRerank(opened, encoder, _reranker(reranker, files).reranker)
    with one_at_a_time, suppress(ModelError):  # the first search compiles and allocates; a fault shows up again later
        pipeline.search("warm up", PipelineSettings(depth=10, rerank_depth=2))
    _leave_to_stay()
    return pipeline


@st.cache_resource(max_entries=3, show_spinner=WAITING)
def _index(name: str, root: str, build: str) -> Index:
    del build  # a part of the cache's key only
    return open_index(name, root=Path(root))


@st.cache_resource(max_entries=3, show_spinner=WAITING)
def _bi_encoder(name: str, files: str) -> BiEncoder:
    del files
    return BiEncoder(name)


@st.cache_resource(max_entries=3, show_spinner="Loading the re-ranker …")
def _reranker(path: str, files: str) -> LoadedReranker:
    """A failure is remembered too, so that a hub that isn't reached delays one search and not every one."""
    del files
    try:
        return LoadedReranker(open_reranker(path) if path else None)
    except SecondLookError as error:
        return LoadedReranker(None, str(error))


@st.cache_resource(max_entries=8, show_spinner=False)
def _judged_sets(folder: str, files: str) -> dict[str, JudgedSet]:
    del files
    return judged_sets(Path(folder))


def _files(path: Path) -> str:
    """Sizes and times of a file, or of a folder's files; the path itself where there is none (a hub's name)."""
    paths = sorted(path.iterdir()) if path.is_dir() else [path] if path.is_file() else []
    stats = [(file.name, file.stat()) for file in paths]
    return ";".join(f"{name} {stat.st_size} {stat.st_mtime_ns}" for name, stat in stats) or str(path)


def feedback_path() -> Path:
    """The file of all grades."""
    return places.feedback()
