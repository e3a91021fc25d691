"""Opens what a decision needs: an index with its bi-encoder, the re-rankers by name, and the queries, judged or not."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from indexing import atomic
from indexing.catalogue import current_build
from indexing.dense.encoder import BiEncoder
from indexing.errors import ModelError, SettingsError
from indexing.index import Index, corpus_folder, open_corpus_folder, open_index
from indexing.judged.fit import FittedSet, check_run
from indexing.judged.queries import read_queries
from indexing.judged.sets import JudgedSet, judged_sets, pick_split, read_judged
from indexing.notes import Note, silent_note
from indexing.provenance import package_version
from indexing.records import Query, Run
from search.answers import queries_fingerprint
from search.load import open_reranker
from search.pipeline import RetrieveAndRerank
from search.queries import searchable_queries
from search.rerank.late_interaction import LateInteractionReranker
from search.rerank.reranker import Reranker
from search.served import DEFAULT_RERANKER, LATE, NO_RERANKER, reranker_fingerprint, reranker_path
from search.served_settings import settings_in_force
from search.settings import PipelineSettings
from search.trec import read_run
from training.choosing.contenders import Grid
from training.choosing.evaluated import BM25, DENSE, FIRST_STAGE, SERVED_NOW
from training.evaluation.inputs import fitted_set

SECONDS = 600.0


@dataclass(frozen=True, kw_only=True)
class DecideRequest:
    """What is to be decided, and from what."""

    indexes: tuple[str, ...] = ("sample",)
    """Names; of the same corpus where there are several."""
    root: Path | None = None
    split: str = "dev"
    """The judged split beside the corpus; not used where there is a file of queries."""
    queries: Path | None = None
    """A file of queries; those that `qrels` doesn't judge are candidates for labeling."""
    qrels: Path | None = None
    runs: Mapping[str, Path] = field(default_factory=dict)
    """Runs of other systems, by the system's name: what the user has today."""
    rerankers: tuple[str, ...] = (DEFAULT_RERANKER, LATE)
    """Names as `open_reranker` takes them."""
    seconds: float = SECONDS
    """About how long it may take."""
    seed: int = 0
    grid: Grid = field(default_factory=Grid)
    """What is tried; its re-rankers are replaced by those above."""

    def __post_init__(self) -> None:
        if not self.indexes:
            raise SettingsError("No index to decide for; name one.")
        if self.qrels is not None and self.queries is None:
            raise SettingsError(f"--qrels {self.qrels} needs the texts of its queries; give --queries too.")
        if NO_RERANKER in self.rerankers or not self.rerankers:
            raise SettingsError("decide compares with and without re-ranking; name a re-ranker, or none of the option.")
        ours = {BM25, DENSE, FIRST_STAGE, SERVED_NOW, *self.rerankers, *(f"{name}, mixed" for name in self.rerankers)}
        ours |= {f"{name}, re-ranked" for name in self.runs}
        if taken := self.runs.keys() & ours:
            raise SettingsError(f"A run can't be named {min(taken)!r}, as one of our own is; give it another name.")


@dataclass(frozen=True, kw_only=True)
class OpenIndex:
    """An index that is open, with what can re-rank its lists."""

    index: Index
    encoder: BiEncoder
    fingerprints: Mapping[str, str] = field(default_factory=dict)
    """Of the re-rankers' files, by the same names."""
    rerankers: Mapping[str, Reranker]
    """By the names of the request; late interaction by the index's bi-encoder is among them where it can be."""

    @property
    def name(self) -> str:
        """The index's name."""
        return self.index.manifest.name

    def pipeline(self, reranker: str, settings: PipelineSettings) -> RetrieveAndRerank:
        """What answers with one of the re-rankers, or without."""
        return RetrieveAndRerank(self.index, self.encoder, self.rerankers.get(reranker), settings=settings)


@dataclass(frozen=True, kw_only=True)
class DecideInputs:
    """Queries and runs that fit the indexes."""

    fitted: Mapping[str, FittedSet]
    """By index, the judged queries as they are measured on it; empty where nothing is judged."""
    unjudged: tuple[Query, ...]
    """Queries that nobody has judged, of the file of queries."""
    runs: Mapping[str, Run]
    notes: tuple[str, ...]


def open_for(request: DecideRequest, *, note: Note) -> list[OpenIndex]:
    """Open every index of a request, and each re-ranker once.

    Raises:
        IndexingError: an index is absent or broken.
        HubError, ModelError: a model can't be loaded.
    """
    named: dict[str, Reranker] = {}
    fingerprints = {name: reranker_fingerprint(reranker_path(name)) for name in reranker_names(request)}
    for name in fingerprints:
        reranker = None if name == LATE else _open(name, request, note=note)
        if reranker is not None:
            named[name] = reranker
    opened = []
    for name in dict.fromkeys(request.indexes):
        index = open_index(name, root=request.root)
        encoder = BiEncoder(index.manifest.bi_encoder)
        rerankers = dict(named)
        try:
            rerankers[LATE] = LateInteractionReranker(encoder)
        except ModelError as error:
            note(f"Late interaction isn't tried on {name}: {error}")
        opened.append(OpenIndex(index=index, encoder=encoder, rerankers=rerankers, fingerprints=fingerprints))
    return opened


def _open(name: str, request: DecideRequest, *, note: Note) -> Reranker | None:
    """A re-ranker; None, with a note, for one that is served now and can't be opened, if it isn't to be tried."""
    try:
        return open_reranker(name)
    except ModelError as error:
        if name in request.rerankers:
            raise
        note(f"Re-ranker {name}, which is served now, isn't compared: {error}")
        return None


def reranker_names(request: DecideRequest) -> tuple[str, ...]:
    """The re-rankers that are tried, then those that the indexes serve now."""
    served = [settings_in_force(name, root=request.root) for name in request.indexes]
    also = [one.reranker for one in served if one.reranker != NO_RERANKER]
    return tuple(dict.fromkeys([*request.rerankers, *also]))


def request_identity(request: DecideRequest) -> dict[str, Any]:
    """All that determines a decision, as plain JSON, from names and files alone: no model is loaded.

    Raises:
        IndexingError, ModelError, SettingsError, CorpusError: as `open_for` and `read_decide_inputs` do.
    """
    judged, unjudged = _queries(request, corpus_folder(request.indexes[0], root=request.root), [])
    qrels = {} if judged is None else judged.qrels
    content = repr([(query, sorted(grades.items())) for query, grades in sorted(qrels.items())])
    return {
        "builds": {name: current_build(name, root=request.root).name for name in request.indexes},
        "rerankers": {name: reranker_fingerprint(reranker_path(name)) for name in request.rerankers},
        "queries": queries_fingerprint([*(() if judged is None else judged.queries), *unjudged]),
        "judgments": hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()[:16],
        "runs": {name: atomic.sha256(path) for name, path in request.runs.items()},
        "seed": request.seed,
        "program": package_version(),
    }


def read_decide_inputs(opened: Sequence[OpenIndex], request: DecideRequest) -> DecideInputs:
    """Read the judgments, the queries and the runs, and compare them with every index.

    Raises:
        SettingsError: there are neither judged queries nor others, or they or a run don't fit an index.
        CorpusError: a file can't be read.
    """
    notes: list[str] = []
    judged, unjudged = _queries(request, open_corpus_folder(opened[0].index), notes)
    fitted = {} if judged is None else {one.name: fitted_set(judged, one.index) for one in opened}
    runs = {name: read_run(path, note=notes.append) for name, path in request.runs.items()}
    for one in opened if judged is not None else ():
        notes += [sentence for sentence in fitted[one.name].notes if sentence not in notes]
        for name, run in runs.items():
            notes += check_run(name, run, fitted[one.name].judged.qrels, one.index.passages, name=f"index {one.name}")
    if len({len(one.index.passages) for one in opened}) > 1:
        raise SettingsError(
            f"The indexes {', '.join(one.name for one in opened)} aren't of one corpus; decide for each by itself."
        )
    return DecideInputs(fitted=fitted, unjudged=unjudged, runs=runs, notes=tuple(dict.fromkeys(notes)))


def _queries(request: DecideRequest, corpus: Path, notes: list[str]) -> tuple[JudgedSet | None, tuple[Query, ...]]:
    """The judged queries, None if there are none, and those that aren't judged."""
    if request.queries is None:
        sets = judged_sets(corpus, note=silent_note)
        advice = "give another --split, or --queries with or without --qrels"
        judged = pick_split(sets, request.split, index=request.indexes[0], advice=advice)
        if request.split == "test":
            notes.append("Pipelines were chosen on half of the test split, which is no test of them any more.")
        return judged, ()
    texts = searchable_queries(read_queries(request.queries, note=notes.append), note=notes.append)
    if not texts:
        raise SettingsError(f"{request.queries} has no queries; give a file of 'id TAB text' lines.")
    if request.qrels is None:
        return None, tuple(texts)
    judged = read_judged(request.queries, request.qrels, split=request.queries.name, note=silent_note)
    if not judged.queries:
        return None, tuple(texts)
    return judged, tuple(query for query in texts if query.id not in judged.qrels)
