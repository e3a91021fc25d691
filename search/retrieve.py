"""The first stage: BM25 and the bi-encoder each retrieve a query's best passages, and fusion merges the rankings."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from indexing.bm25.settings import Bm25Settings
from indexing.dense.encoder import BiEncoder
from indexing.errors import SettingsError
from indexing.index import Index
from indexing.manifest import rebuild
from indexing.records import Floats, Passage, PassageId, Ranking, Rows
from search.fuse import fuse
from search.queries import cut_notes
from search.settings import PipelineSettings
from search.stopwatch import Stopwatch
from search.unmatched import unmatched_note


class RetrievedList(NamedTuple):
    """One retriever's ranking, and the rows of its passages in the index."""

    ranking: Ranking
    rows: Mapping[PassageId, int]


@dataclass(frozen=True, kw_only=True)
class FirstStage:
    """A query's candidates before re-ranking."""

    query: str
    rankings: Mapping[str, Ranking]
    """The ranking of each retriever, `bm25` and `dense`."""
    fused: Ranking
    rows: Mapping[PassageId, int]
    """The row in the index of every passage of `rankings`."""
    passages: Mapping[PassageId, Passage] = field(repr=False)
    """The passages of `fused`."""
    vector: Floats | None = field(repr=False)
    """The query's vector, (dim,) float32, unit length; None if nothing needs it."""
    seconds: Mapping[str, float]
    """Time of each stage, in the order in which they ran."""
    notes: tuple[str, ...] = ()
    """Why BM25 found nothing, if it didn't, and how much the bi-encoder reads of a long query."""


def first_stage(index: Index, encoder: BiEncoder, query: str, settings: PipelineSettings) -> FirstStage:
    """Retrieve, fuse, and load the passages of the fused ranking.

    Raises:
        SettingsError: the index can't be searched with these k1 and b.
        IndexingError: its bytes turned out broken.
    """
    index.check()
    clock = Stopwatch()
    lists: dict[str, RetrievedList] = {}
    vector: Floats | None = None
    if settings.fusion != "dense":
        lists["bm25"] = retrieve_bm25(index, query, depth=settings.depth, k1=settings.k1, b=settings.b)
        clock.lap("bm25")
    if settings.fusion != "bm25" or "dense" in settings.needs:
        vector = encoder.encode_query(query)
        clock.lap("encode")
    if vector is not None and settings.fusion != "bm25":
        lists["dense"] = retrieve_dense(index, vector, depth=settings.depth)
        clock.lap("faiss")
    rankings = {name: retrieved.ranking for name, retrieved in lists.items()}
    fused = fuse(rankings, settings, depth=settings.depth)
    clock.lap("fuse")
    unmatched = "bm25" in lists and not lists["bm25"].rows
    notes = (unmatched_note(index.analyzer, query, fusion=settings.fusion),) if unmatched else ()
    read = bi_encoder_notes(encoder, query) if vector is not None else ()
    rows = {passage_id: row for retrieved in lists.values() for passage_id, row in retrieved.rows.items()}
    passages = {passage_id: index.passages[rows[passage_id]] for passage_id in fused.passage_ids}
    clock.lap("load")
    return FirstStage(
        query=query,
        rankings=rankings,
        fused=fused,
        rows=rows,
        passages=passages,
        vector=vector,
        seconds=clock.seconds,
        notes=(*notes, *read),
    )


def bi_encoder_notes(encoder: BiEncoder, query: str) -> tuple[str, ...]:
    """What to tell of a query that the bi-encoder reads only the beginning of."""
    return cut_notes("the bi-encoder", encoder.query_cut(query))


def retrieve_bm25(
    index: Index, query: str, *, depth: int, k1: float | None = None, b: float | None = None
) -> RetrievedList:
    """Passages that share a term with the query, at most `depth`; None for `k1` or `b` stands for the index's own.

    Raises:
        SettingsError: k1 or b isn't the index's own, and the index stores no postings to compute with it.
    """
    check_bm25(index, k1=k1, b=b)
    settings = bm25_settings(index, k1=k1, b=b)
    terms = index.analyzer.query_terms(query)
    if settings == index.manifest.bm25 or index.postings is None:
        rows, scores = index.bm25.search(terms, depth=depth)
    else:
        rows, scores = index.postings.search(terms, settings, depth=depth)
    return _ranked(index, rows, scores, depth=depth)


def check_bm25(index: Index, *, k1: float | None, b: float | None) -> None:
    """Raise SettingsError if k1 or b isn't the index's own, and it stores no postings to compute with it."""
    own, settings = index.manifest.bm25, bm25_settings(index, k1=k1, b=b)
    if settings != own and index.postings is None:
        raise SettingsError(
            f"Index {index.folder} stores no postings, so its BM25 has k1={own.k1:g} and b={own.b:g}, "
            f"not k1={settings.k1:g} and b={settings.b:g}. {rebuild(index.folder)}"
        )


def retrieve_dense(index: Index, vector: Floats, *, depth: int) -> RetrievedList:
    """The passages nearest to a query's vector, (dim,) float32, by cosine."""
    rows, scores = index.dense.search(vector, depth=depth)
    return _ranked(index, rows, scores, depth=depth)


def bm25_settings(index: Index, *, k1: float | None, b: float | None) -> Bm25Settings:
    """The index's own BM25 settings with this k1 and b; None for its own."""
    own = index.manifest.bm25
    return replace(own, k1=own.k1 if k1 is None else k1, b=own.b if b is None else b)


def _ranked(index: Index, rows: Rows, scores: Iterable[float], *, depth: int) -> RetrievedList:
    numbers: list[int] = rows.tolist()
    ids = [index.passages.id_at(row) for row in numbers]
    ranking = Ranking.sort(zip(ids, scores, strict=True), depth=depth)
    return RetrievedList(ranking, dict(zip(ids, numbers, strict=True)))
