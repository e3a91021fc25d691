"""The first stage: BM25 and the bi-encoder each give a query's best passages."""

import time
from dataclasses import replace

from indexing.bm25 import analyzer
from indexing.bm25.settings import Bm25Settings
from indexing.dense.encoder import BiEncoder
from indexing.errors import SettingsError
from indexing.index import Index
from indexing.manifest import rebuild
from indexing.records import Floats, Ranking

Seconds = dict[str, float]


def bm25_settings(index: Index, *, k1: float | None, b: float | None) -> Bm25Settings:
    """The index's own BM25 settings with this k1 and b; None for its own."""
    own = index.manifest.bm25
    return replace(own, k1=own.k1 if k1 is None else k1, b=own.b if b is None else b)


def retrieve_bm25(
    index: Index, query: str, *, depth: int, k1: float | None = None, b: float | None = None
) -> tuple[Ranking, Seconds]:
    """Passages that share a term with the query, at most `depth`; and seconds of `bm25`.

    Raises:
        SettingsError: k1 or b isn't the index's own, and the index keeps no postings to compute with it.
    """
    start = time.perf_counter()
    own, settings = index.manifest.bm25, bm25_settings(index, k1=k1, b=b)
    if settings == own:
        rows, scores = index.bm25.search(analyzer.terms(query), depth=depth)
    elif index.postings is not None:
        rows, scores = index.postings.search(analyzer.terms(query), settings, depth=depth)
    else:
        raise SettingsError(
            f"Index {index.folder} keeps no postings, so BM25 has k1={own.k1:g} and b={own.b:g} there, "
            f"not k1={settings.k1:g} and b={settings.b:g}. {rebuild(index.folder)}"
        )
    found = zip(rows.tolist(), scores, strict=True)
    ranking = Ranking.sort(((index.passages.id_at(row), score) for row, score in found), depth=depth)
    return ranking, {"bm25": time.perf_counter() - start}


def retrieve_dense(index: Index, encoder: BiEncoder, query: str, *, depth: int) -> tuple[Ranking, Seconds]:
    """The passages nearest to the query by cosine; and seconds of `encode` and `faiss`."""
    vector, encoding = encode(encoder, query)
    ranking, searching = nearest(index, vector, depth=depth)
    return ranking, encoding | searching


def encode(encoder: BiEncoder, query: str) -> tuple[Floats, Seconds]:
    """The query's vector, (dim,) float32; and seconds of `encode`."""
    start = time.perf_counter()
    vector = encoder.encode_query(query)
    return vector, {"encode": time.perf_counter() - start}


def nearest(index: Index, vector: Floats, *, depth: int) -> tuple[Ranking, Seconds]:
    """The passages nearest to a query's vector, (dim,) float32, by cosine; and seconds of `faiss`."""
    start = time.perf_counter()
    rows, scores = index.dense.search(vector, depth=depth)
    ranking = Ranking.sort(
        ((index.passages.id_at(int(row)), score) for row, score in zip(rows, scores, strict=True)), depth=depth
    )
    return ranking, {"faiss": time.perf_counter() - start}
