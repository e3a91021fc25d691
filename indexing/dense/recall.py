"""Chooses the dense index's search parameters, and measures its recall on queries not used for choosing."""

import random
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from indexing import precision
from indexing.dense.encoder import BiEncoder
from indexing.dense.exact import exact_search
from indexing.dense.faiss_index import DenseIndex
from indexing.dense.vectors import VectorStore
from indexing.errors import SecondLookError
from indexing.judged.sets import judged_sets
from indexing.manifest import Quality
from indexing.progress import Progress, silent
from indexing.records import Floats, Rows
from indexing.store.passages import PassageStore

DEPTH = 100
TARGET = 0.99  # recall that the chosen parameters have to reach
QUERIES = 200
SPAN_WORDS = 8  # of a passage, used if there are no queries; about the length of MS MARCO's
SEED = 0


def sample_queries(corpus: Path, passages: PassageStore, *, count: int = QUERIES) -> tuple[list[str], str]:
    """Queries to measure with, and their source: train or dev queries beside the corpus, else spans of passages.

    Test queries are never used.
    """
    rng = random.Random(SEED)
    folder = corpus if corpus.is_dir() else corpus.parent
    try:
        judged = judged_sets(folder) if folder.is_dir() else {}
    except SecondLookError:
        judged = {}  # broken queries or qrels are no reason to stop a build
    for split in ("train", "dev"):
        if split in judged and len(judged[split].queries) >= 2:
            texts = [query.text for query in judged[split].queries]
            return rng.sample(texts, min(count, len(texts))), f"{split} queries of {folder}"
    rows = rng.sample(range(len(passages)), min(count, len(passages)))
    return [_span(passages[row].content.split(), rng) for row in rows], f"spans of {SPAN_WORDS} words of passages"


def choose_parameters(
    dense: DenseIndex,
    vectors: VectorStore,
    encoder: BiEncoder,
    queries: Sequence[str],
    source: str,
    *,
    file: Path,
    progress: Progress = silent,
) -> Quality:
    """Choose the parameters on every other query and measure on the rest; `file` is the saved index.

    `progress` counts the vectors that have been compared with all queries.
    """
    encoded = encoder.encode_queries(queries)  # (queries, dim) float32
    truth = exact_search(vectors, encoded, depth=DEPTH, device=precision.device(), progress=progress)
    chosen = _cheapest(dense, encoded[::2], truth[::2])
    dense.set(chosen)
    held_out = slice(1, None, 2) if len(queries) > 1 else slice(None)
    recall, milliseconds = _measure(dense, encoded[held_out], truth[held_out])
    return Quality(
        recall=round(recall, 4),
        depth=DEPTH,
        queries=len(encoded[held_out]),
        queries_from=source,
        parameters=chosen,
        milliseconds=round(milliseconds, 3),
        bytes_per_vector=round(file.stat().st_size / max(len(vectors), 1), 1),
    )


def _cheapest(dense: DenseIndex, queries: Floats, truth: Rows) -> str:
    """The least value of each parameter in turn that reaches the goal while the later ones are at their maximum.

    The goal is TARGET, or the recall with every parameter at its maximum if that is lower.
    """
    knobs = dense.knobs()
    values = {name: steps[-1] for name, steps in knobs.items()}
    goal = min(TARGET, _recall_with(dense, values, queries, truth))
    for name, steps in knobs.items():
        values[name] = next(
            step for step in steps if _recall_with(dense, values | {name: step}, queries, truth) >= goal
        )
    return _text(values)


def _recall_with(dense: DenseIndex, values: dict[str, int], queries: Floats, truth: Rows) -> float:
    dense.set(_text(values))
    return _measure(dense, queries, truth)[0]


def _text(values: dict[str, int]) -> str:
    return ",".join(f"{name}={value}" for name, value in values.items())


def _measure(dense: DenseIndex, queries: Floats, truth: Rows) -> tuple[float, float]:
    """Mean recall and median milliseconds."""
    seconds, shares = [], []
    for query, expected in zip(queries, truth, strict=True):
        start = time.perf_counter()
        rows, _ = dense.search(query, depth=DEPTH)
        seconds.append(time.perf_counter() - start)
        shares.append(len(np.intersect1d(rows, expected)) / len(expected))
    return float(np.mean(shares)), float(np.median(seconds)) * 1e3


def _span(words: Sequence[str], rng: random.Random) -> str:
    start = rng.randrange(max(1, len(words) - SPAN_WORDS + 1))
    return " ".join(words[start : start + SPAN_WORDS])
