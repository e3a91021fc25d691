"""First-stage rankings of training queries, to distill from and to mine negatives from."""

from collections.abc import Callable, Sequence

import numpy as np

from indexing.bm25.formula import best_rows
from indexing.dense.encoder import BiEncoder
from indexing.dense.vectors import VectorStore
from indexing.index import Index
from indexing.progress import Progress, silent
from indexing.records import PassageId, Query, QueryId, Ranking
from training.targets import BM25_SHARE


def teacher_run(
    index: Index,
    encoder: BiEncoder,
    queries: Sequence[Query],
    *,
    depth: int,
    extra_passages: Callable[[QueryId], Sequence[PassageId]] = lambda _: (),
    progress: Progress = silent,
) -> dict[QueryId, Ranking]:
    """For each query, BM25's and the bi-encoder's best `depth` passages together with `extra_passages`.

    Scores are cosine + BM25_SHARE * BM25 / (the query's best BM25): one scale for all queries.
    """
    vectors = VectorStore(index.folder / "vectors")
    run: dict[QueryId, Ranking] = {}
    for start in range(0, len(queries), 256):
        block = queries[start : start + 256]
        encoded = encoder.encode_passages([query.text for query in block])  # (block, dim) float32
        for query, vector in zip(block, encoded, strict=True):
            bm25 = index.bm25.scores(index.analyzer.query_terms(query.text))  # (passages,) float32
            dense_rows, _ = index.dense.search(vector, depth=depth)
            extra_rows = [
                index.passages.row_of(passage_id)
                for passage_id in extra_passages(query.id)
                if passage_id in index.passages
            ]
            rows = np.unique(
                np.concatenate([best_rows(bm25, depth=depth), dense_rows, np.array(extra_rows, dtype=np.int64)])
            )
            scores = vectors.rows(rows) @ vector + BM25_SHARE * bm25[rows] / max(float(bm25.max()), 1e-6)
            ids = (index.passages.id_at(int(row)) for row in rows)
            run[query.id] = Ranking.sort(zip(ids, scores.tolist(), strict=True))
        progress("first stage", len(block), len(queries))
    return run
