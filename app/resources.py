"""Opens the pipelines that all sessions share: once, and again when a build or a promotion has changed their files."""

import gc
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import streamlit as st

from app.pace import Pace
from indexing import places
from indexing.bm25.settings import Bm25Settings
from indexing.catalogue import current_build
from indexing.dense.encoder import BiEncoder
from indexing.errors import IndexingError, ModelError, SecondLookError, SettingsError
from indexing.index import Index, open_build, open_corpus_folder
from indexing.judged.sets import JudgedSet, judged_sets
from indexing.manifest import FILE, Manifest
from indexing.pretrained import bundled_path
from search.load import open_reranker
from search.pipeline import RetrieveAndRerank
from search.rerank.late_interaction import LateInteractionReranker
from search.rerank.reranker import Reranker
from search.rerank.score_cache import RememberedScores
from search.served import LATE, late_bi_encoder, reranker_fingerprint, reranker_path
from search.settings import PipelineSettings
from search.trace import SearchTrace

WAITING = "Loading the index and models …"
one_at_a_time = threading.Lock()
"""Held during every use of a model: tokenizers don't support two threads at once."""


@dataclass(frozen=True)
class LoadedReranker:
    """A re-ranker, or a sentence that says why it can't be loaded."""

    reranker: Reranker | None
    problem: str = ""


@dataclass(frozen=True)
class SharedPipeline:
    """A pipeline that is ready to search. All sessions share it: change nothing in it."""

    pipeline: RetrieveAndRerank
    fingerprint: str
    """Changes with the index's build and the re-ranker's files."""
    problem: str
    """Why the requested re-ranker is missing; else empty."""
    remembering: RetrieveAndRerank | None = None
    """The same for searches, which may use scores that were computed before; what is measured may not."""
    pace: Pace = field(default_factory=Pace)
    """What its searches took."""

    def search(
        self, query: str, settings: PipelineSettings, *, on_first: Callable[[SearchTrace], None] | None = None
    ) -> SearchTrace:
        """Answer one query; this process answers one at a time. Raises SettingsError, ModelError.

        `on_first` gets the first stage's trace before its passages are re-ranked; it must be quick.
        """
        with one_at_a_time:
            pipeline = self.remembering or self.pipeline
            kept = pipeline.reranker if isinstance(pipeline.reranker, RememberedScores) else None
            before = 0 if kept is None else kept.computed
            trace = pipeline.search(query, settings, on_first=on_first)
            read = len(trace.logits) if kept is None else kept.computed - before
            self.pace.observe(trace, read=read)
            return trace


def own_bm25(index: str) -> Bm25Settings | None:
    """The BM25 settings an index was built with; None where it allows no others, or can't be opened."""
    with suppress(IndexingError, SettingsError):
        manifest = Manifest.load(current_build(index, root=places.indexes()))
        return manifest.bm25 if manifest.has_postings else None
    return None


def open_pipeline(index: str, reranker: str) -> SharedPipeline:
    """An index with its bi-encoder and, where it can be loaded, the re-ranker.

    Raises:
        IndexingError, ModelError, HubError: the first stage can't be opened. A re-ranker that can't be loaded raises
            nothing: the sentence is in `problem`.
    """
    folder = str(current_build(index, root=places.indexes()))  # `current` may move while this build is opened
    build = f"{folder}:{_files(Path(folder) / FILE)}"
    _index(folder, build).check()
    try:
        path = reranker_path(reranker)
    except SecondLookError as error:
        return SharedPipeline(_pipeline(folder, build, "", ""), build, str(error))
    if path == LATE:
        try:
            late = _pipeline(folder, build, path, "")
            return SharedPipeline(late, f"{build}:{path}", "", pace=_pace(folder, build, path, ""))
        except ModelError as error:  # the bi-encoder has no vectors of tokens
            return SharedPipeline(_pipeline(folder, build, "", ""), build, str(error))
    files = _files(Path(late_bi_encoder(path) or path)) if path else ""
    loaded = _reranker(path, files)
    if loaded.reranker is None:
        return SharedPipeline(_pipeline(folder, build, "", ""), build, loaded.problem)
    opened = _pipeline(folder, build, path, files)
    remembering = _remembering(folder, build, path, files) if path else None
    return SharedPipeline(opened, f"{build}:{path}:{files}", "", remembering, _pace(folder, build, path, files))


@st.cache_resource(show_spinner=False)
def settle(page: str) -> None:
    """Called once a page has been drawn for the first time, with everything it imports loaded."""
    del page  # a part of the cache's key: one call a page
    _exempt_from_collection()


def _exempt_from_collection() -> None:
    """Exempt everything loaded so far from garbage collection.

    Streamlit collects after every run of a page or fragment, and walking all of torch's objects takes a third of a
    second each time.
    """
    gc.collect()
    gc.freeze()


def retry_rerankers() -> None:
    """Forget all loaded re-rankers and the failures to load one."""
    _reranker.clear()


def forget_indexes() -> None:
    """Forget all open indexes, whose files a removed one would keep on disk; the others are opened again when used."""
    for opened in (_index, _pipeline, _remembering, _pace):
        opened.clear()


def judgments(opened: SharedPipeline) -> dict[str, JudgedSet]:
    """The judged splits beside the corpus that the index was built from. Raises CorpusError."""
    return judged_beside(open_corpus_folder(opened.pipeline.index))


def judged_beside(folder: Path) -> dict[str, JudgedSet]:
    """The judged splits beside a corpus, read again only when their files change. Raises CorpusError."""
    return _judged_sets(str(folder), ",".join(_files(path) for path in sorted(folder.glob("q*"))))


@st.cache_resource(max_entries=4, show_spinner=WAITING)
def _pipeline(folder: str, build: str, reranker: str, files: str) -> RetrieveAndRerank:
    opened_index = _index(folder, build)
    name = opened_index.manifest.bi_encoder
    encoder = _bi_encoder(name, _files(Path(bundled_path(name))))
    late = LateInteractionReranker(encoder) if reranker == LATE else None
    pipeline = RetrieveAndRerank(opened_index, encoder, late or _reranker(reranker, files).reranker)
    with one_at_a_time, suppress(ModelError):  # the first search compiles and allocates; a failure will show again
        pipeline.search("warm up", PipelineSettings(depth=10, rerank_depth=2))
    _exempt_from_collection()
    return pipeline


@st.cache_resource(max_entries=4, show_spinner=WAITING)
def _remembering(folder: str, build: str, reranker: str, files: str) -> RetrieveAndRerank:
    """A pipeline of the same parts that scores no pair twice."""
    plain = _pipeline(folder, build, reranker, files)
    scores = None if plain.reranker is None else RememberedScores(plain.reranker)
    return RetrieveAndRerank(plain.index, plain.encoder, scores, settings=plain.settings)


@st.cache_resource(max_entries=8, show_spinner=WAITING)
def _pace(folder: str, build: str, reranker: str, files: str) -> Pace:
    """The pace of a pipeline, which one small search begins."""
    plain, pace = _pipeline(folder, build, reranker, files), Pace()
    with one_at_a_time, suppress(ModelError):
        trace = plain.search("how long it takes", PipelineSettings(depth=10, rerank_depth=10))
        pace.observe(trace, read=len(trace.logits))
    return pace


@st.cache_resource(max_entries=3, show_spinner=WAITING)
def _index(folder: str, build: str) -> Index:
    del build  # only a part of the cache's key
    return open_build(Path(folder))


@st.cache_resource(max_entries=3, show_spinner=WAITING)
def _bi_encoder(name: str, files: str) -> BiEncoder:
    del files
    return BiEncoder(name)


@st.cache_resource(max_entries=3, show_spinner="Loading the re-ranker …")
def _reranker(path: str, files: str) -> LoadedReranker:
    """The re-ranker or why it failed; a failure is cached too, so that an unreachable hub delays only one search."""
    del files
    try:
        return LoadedReranker(open_reranker(path) if path else None)
    except SecondLookError as error:
        return LoadedReranker(None, str(error))


def fingerprint(path: str) -> str:
    """A re-ranker's fingerprint by the path or name that `reranker_path` gives; its files are read when they change."""
    return _fingerprint(path, _files(Path(path)) if path else "")


@st.cache_resource(max_entries=8, show_spinner=False)
def _fingerprint(path: str, files: str) -> str:
    del files
    return reranker_fingerprint(path)


@st.cache_resource(max_entries=8, show_spinner=False)
def _judged_sets(folder: str, files: str) -> dict[str, JudgedSet]:
    del files
    return judged_sets(Path(folder))


def _files(path: Path) -> str:
    """What tells a file, or the files below a folder, from others in their place; the path itself where none exists.

    A file that replaces another has a number of its own (inode), and one that was written to a new time of change
    (ctime), which, unlike its size and time, nobody sets.
    """
    paths = sorted(path.rglob("*")) if path.is_dir() else [path] if path.is_file() else []
    stats = [(file, file.stat()) for file in paths if file.is_file()]
    return ";".join(
        f"{file.name} {stat.st_size} {stat.st_mtime_ns} {stat.st_ctime_ns} {stat.st_ino}" for file, stat in stats
    ) or str(path)
