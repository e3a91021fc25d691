"""The first stage: BM25 and the bi-encoder each give a query's best passages."""

import time

from indexing import analyzer
from indexing.encoder import BiEncoder
from indexing.index import Index
from indexing.records import Floats, Ranking

Seconds = dict[str, float]


def retrieve_bm25(index: Index, query: str, *, depth: int) -> tuple[Ranking, Seconds]:
    """Passages that share a term with the query, at most `depth`; and seconds of `bm25`."""
    start = time.perf_counter()
    rows, scores = index.bm25.search(analyzer.terms(query), depth=depth)
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
