"""python -m benchmarks.indexing INDEX JUDGED: our index build and first stage against the usual way, in one run.

The usual way is sentence-transformers' `encode` with `IndexFlatIP`, and `rank_bm25.BM25Okapi`. Both sides
see the same texts and queries in this process, in turn. INDEX was built from real text, such as

    python -m benchmarks.corpora sentences JUDGED data/corpora/sentences --passages 400000
    python -m indexing build --corpus data/corpora/sentences --index sentences --dense pq-fastscan
"""

import argparse
import os
import platform
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path

import faiss
import numpy as np
import torch
from rank_bm25 import BM25Okapi
from sentence_transformers import SentenceTransformer

from benchmarks.build_memory import measured
from indexing import atomic, places
from indexing.bm25 import postings
from indexing.bm25.backends import Bm25s
from indexing.bm25.build import build_bm25
from indexing.bm25.settings import Bm25Settings
from indexing.catalogue import current_build
from indexing.corpus.corpus import Corpus
from indexing.dense.encoder import BiEncoder
from indexing.dense.exact import exact_search
from indexing.dense.faiss_index import DenseIndex
from indexing.dense.vectors import VectorStore
from indexing.judged.queries import read_queries
from indexing.manifest import Manifest
from indexing.names import DEFAULT_BI_ENCODER
from indexing.pretrained import bundled_path
from indexing.records import Floats, Rows
from indexing.store.ids import IdTable
from indexing.store.passages import PassageStore
from indexing.words.analyzers import analyzer_for

ENCODED = 1_000  # MS MARCO passages, as long as they are
REPEATS = 3
BM25_PASSAGES = 300_000
BM25_QUERIES = 20  # rank-bm25 takes a second each
MEMORY_PASSAGES = 200_000
DEPTH = {"dense": 100, "bm25": 1000}
Figures = dict[str, float | str]


def main() -> None:
    """Measure, print, and write where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("index", help="name of an index of 300,000 passages or more")
    parser.add_argument("judged", type=Path, help="folder of judged collections, with msmarco-mini")
    parser.add_argument("--root", type=Path, default=places.indexes())
    parser.add_argument("--json", type=Path, help="also write the figures here")
    options = parser.parse_args()
    faiss.omp_set_num_threads(os.cpu_count() or 1)
    folder = current_build(options.index, root=options.root)
    queries = [query.text for query in read_queries(options.judged / "msmarco-mini" / "queries.train.tsv")]
    encoder = BiEncoder()
    machine = f"{platform.machine()}, {os.cpu_count()} cores, torch {torch.__version__}, {encoder.precision}"
    print(f"machine   {machine}")
    figures = {
        "encode": _encode(options.judged / "msmarco-mini", encoder),
        "dense": _dense(folder, encoder, queries[:200]),
        "bm25": _bm25(folder, queries),
    }
    figures["memory"] = _memory(options.judged)
    if options.json is not None:
        atomic.write_json(options.json, {"machine": machine, **figures})


def _encode(corpus: Path, encoder: BiEncoder) -> Figures:
    """Passages a second from text to vector; sentence-transformers at its defaults."""
    texts = [passage.content for passage in islice(Corpus(corpus), ENCODED)]
    peer = SentenceTransformer(bundled_path(DEFAULT_BI_ENCODER))
    theirs, ours = _in_turn(lambda: peer.encode(texts, show_progress_bar=False), lambda: encoder.encode_passages(texts))
    cosine = (np.asarray(peer.encode(texts[:200])) * encoder.encode_passages(texts[:200])).sum(axis=1).min()
    row = _row(peer=ENCODED / theirs, ours=ENCODED / ours)
    row["least cosine between both"] = float(cosine)
    print(
        f"encode    sentence-transformers {row['peer']:.0f} passages/s, ours {row['ours']:.0f}: "
        f"{row['ratio']:.1f} times; least cosine between both {cosine:.4f}; median of {REPEATS}"
    )
    return row


def _dense(folder: Path, encoder: BiEncoder, queries: Sequence[str]) -> Figures:
    """Queries a second, one at a time, at the recall that the index has; the peer's is 1."""
    manifest = Manifest.load(folder)
    vectors = VectorStore(folder / "vectors")
    encoded = encoder.encode_queries(queries)  # (queries, dim) float32
    truth = exact_search(vectors, encoded, depth=DEPTH["dense"])
    index = DenseIndex.open(folder / "dense.faiss", parameters=manifest.dense.quality.parameters)
    peer = faiss.IndexFlatIP(vectors.dim)
    for block in vectors.blocks():
        peer.add(block)
    depth = DEPTH["dense"]
    theirs, ours = _in_turn(
        lambda: [peer.search(query.reshape(1, -1), depth) for query in encoded],
        lambda: [index.search(query, depth=depth) for query in encoded],
    )
    row = _row(peer=len(queries) / theirs, ours=len(queries) / ours)
    row["recall@100"] = _recall(index, encoded, truth)
    row["bytes a vector"] = manifest.dense.quality.bytes_per_vector
    row["bytes of the peer"] = 4.0 * vectors.dim
    row["kind"], row["vectors"] = f"{manifest.dense.kind} {manifest.dense.quality.parameters}", len(vectors)
    print(
        f"dense     {len(vectors):,} vectors of real text, {len(queries)} real queries: IndexFlatIP {row['peer']:.0f} "
        f"queries/s with {4 * vectors.dim} bytes a vector, ours {row['ours']:.0f} with {row['bytes a vector']:.0f} "
        f"({row['kind']}) at recall@100 {row['recall@100']:.4f}: {row['ratio']:.1f} times"
    )
    return row


def _recall(index: DenseIndex, queries: Floats, truth: Rows) -> float:
    found = [index.search(query, depth=truth.shape[1])[0] for query in queries]
    shares = [len(np.intersect1d(rows, best)) / len(best) for rows, best in zip(found, truth, strict=True)]
    return float(np.mean(shares))


def _bm25(folder: Path, queries: Sequence[str]) -> Figures:
    """Queries a second at depth 1,000, from terms to the best passages in order; and seconds to build."""
    store = PassageStore(folder / "passages", IdTable(folder / "ids"))
    analyzed = analyzer_for().analyze(passage.content for passage in islice(store, BM25_PASSAGES))
    terms = [analyzer_for().query_terms(query) for query in random.Random(0).sample(list(queries), BM25_QUERIES)]
    begun = time.perf_counter()
    peer = BM25Okapi(analyzed)
    their_build = time.perf_counter() - begun
    with tempfile.TemporaryDirectory(prefix="second-look-benchmark-") as name:
        work = Path(name)
        (work / "terms").mkdir()
        begun = time.perf_counter()
        for start in range(0, len(analyzed), 100_000):
            postings.write_postings(work / "terms" / f"{start:08}.arrow", analyzed[start : start + 100_000])
        build_bm25(work / "terms", work / "bm25", Bm25Settings())
        our_build = time.perf_counter() - begun
        index = Bm25s.open(work / "bm25")
        depth = DEPTH["bm25"]

        def search_ours() -> None:
            for query in terms:
                rows, scores = index.search(query, depth=depth)
                rows[np.argsort(-scores)][:depth]

        def search_theirs() -> None:
            for query in terms:
                np.argsort(peer.get_scores(query))[::-1][:depth]

        search_ours()
        theirs, ours = _in_turn(search_theirs, search_ours)
    row = _row(peer=len(terms) / theirs, ours=len(terms) / ours)
    row["seconds to build, peer"], row["seconds to build, ours"] = their_build, our_build
    row["passages"] = len(analyzed)
    print(
        f"bm25      {len(analyzed):,} passages, depth {depth:,}: rank-bm25 {row['peer']:.2f} queries/s, ours "
        f"{row['ours']:.0f}: {row['ratio']:.0f} times; built from terms in {their_build:.1f} s and {our_build:.1f} s"
    )
    return row


def _memory(judged: Path) -> Figures:
    """Peak memory of whole builds and bytes of the dense index, with a stand-in for the bi-encoder on both sides."""
    peer = measured(judged, passages=MEMORY_PASSAGES, usual=True)
    ours = measured(judged, passages=MEMORY_PASSAGES)
    print(
        f"memory    {MEMORY_PASSAGES:,} passages: the usual way peaks at {peer['peak'] / 2**30:.2f} GiB, ours at "
        f"{ours['peak'] / 2**30:.2f}; on disk the whole index has {ours['bytes'] / 2**20:.0f} MiB, with passages, "
        f"postings and float16 vectors, IndexFlatIP alone {peer['bytes'] / 2**20:.0f}"
    )
    return {"peer": float(peer["peak"]), "ours": float(ours["peak"]), "ratio": peer["peak"] / ours["peak"]}


def _in_turn(peer: Callable[[], object], ours: Callable[[], object]) -> tuple[float, float]:
    """Median seconds of both, run in turn, so that a busy moment falls on both."""
    spent: tuple[list[float], list[float]] = ([], [])
    for _ in range(REPEATS):
        for run, seconds in zip((peer, ours), spent, strict=True):
            begun = time.perf_counter()
            run()
            seconds.append(time.perf_counter() - begun)
    return statistics.median(spent[0]), statistics.median(spent[1])


def _row(*, peer: float, ours: float) -> Figures:
    return {"peer": peer, "ours": ours, "ratio": ours / peer}


if __name__ == "__main__":
    main()
