"""python -m benchmarks.late: late interaction on the fly and with stored token vectors, against the cross-encoder.

For each form: bytes a passage, milliseconds a query that re-ranks 50 and 100 passages, and nDCG@10 of all candidates on
the dev split of data/sample, and on a file of lists where one is given (jsonl.gz: query_id, query, candidates with
docid, text, label). Give lists to choose by, not those that are tested on. `half` is the vectors in float16, `pca` the
same rotated to fewer dimensions; `int8` and `int4` are what `indexing build --token-vectors` stores.
"""

import argparse
import gzip
import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from indexing import atomic, places, precision
from indexing.corpus.corpus import Corpus
from indexing.dense.encoder import BiEncoder
from indexing.judged.sets import judged_sets
from indexing.records import Floats, PassageId, Qrels, QueryId, Ranking
from indexing.store.token_vectors import from_codes, to_codes
from search.rerank.cross_encoder import CrossEncoderReranker
from search.rerank.late_interaction import LateInteractionReranker, late_interaction
from search.served import reranker_path
from training.evaluation.measures import measure_run

DEPTHS = (50, 100)
TIMED_QUERIES = 5
CANDIDATES = 100  # of a query of data/sample: the nearest by cosine
MEASURE = "nDCG@10"
PCA = 128  # dimensions
AT_ONCE = 512  # passages that are encoded together


@dataclass(frozen=True)
class Lists:
    """Judged queries with the passages that are ranked."""

    queries: Mapping[QueryId, str]
    passages: Mapping[QueryId, Mapping[PassageId, str]]
    qrels: Qrels


@dataclass(frozen=True)
class Form:
    """A way to keep a passage's token vectors."""

    store: Callable[[Floats], Any]
    load: Callable[[Any], Floats]
    size: Callable[[int], int]
    """Bytes of so many tokens."""
    turn: Callable[[Floats], Floats] = lambda query: query
    """What is done to the query's vectors."""


def main() -> None:
    """Measure, print, and write where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lists", type=Path, nargs="?", help="judged lists to choose by, jsonl.gz")
    parser.add_argument("--note", default="", help="what a reader of the figures should know, such as other load")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    options = parser.parse_args()
    encoder = BiEncoder()
    sets = {"sample dev": sample_lists(encoder)}
    if options.lists is not None:
        sets[options.lists.parent.name] = read_lists(options.lists)
    rows = measure(encoder, sets)
    print(table(rows))
    machine = f"{platform.machine()}, {os.cpu_count()} cores, device {precision.device()}, torch {torch.__version__}"
    if options.json is not None:
        atomic.write_json(options.json, {"machine": machine, "note": options.note, "rows": rows})


def sample_lists(encoder: BiEncoder) -> Lists:
    """The dev queries of data/sample with the passages nearest by cosine."""
    judged, passages = judged_sets(places.sample())["dev"], list(Corpus(places.sample()))
    vectors = encoder.encode_passages([passage.content for passage in passages])  # (passages, dim)
    found = {}
    for query in judged.queries:
        best = np.argsort(-(vectors @ encoder.encode_query(query.text)), kind="stable")[:CANDIDATES]
        found[query.id] = {passages[row].id: passages[row].content for row in best.tolist()}
    return Lists({query.id: query.text for query in judged.queries}, found, judged.qrels)


def read_lists(path: Path) -> Lists:
    """All judged candidates of each query of a file."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    return Lists(
        {QueryId(row["query_id"]): row["query"] for row in rows},
        {QueryId(row["query_id"]): {PassageId(one["docid"]): one["text"] for one in row["candidates"]} for row in rows},
        {
            QueryId(row["query_id"]): {PassageId(one["docid"]): max(int(one["label"]), 0) for one in row["candidates"]}
            for row in rows
        },
    )


def forms(rotation: Floats, dim: int) -> dict[str, Form]:
    """By name; `rotation` is (dim, dim), its first columns what varies most."""
    main_axes = rotation[:, :PCA]  # (dim, PCA)
    halves = Form(lambda tokens: tokens.astype(np.float16), lambda kept: kept.astype(np.float32), lambda n: 2 * n * dim)

    def coded(form: str, size: int) -> Form:
        return Form(
            lambda tokens: to_codes(tokens, form), lambda kept: from_codes(kept, form, dim=dim), lambda n: n * size
        )

    def turned(tokens: Floats) -> tuple[Any, Floats]:
        short = tokens @ main_axes  # (tokens, PCA), shorter than 1
        return to_codes(short, "int8"), np.linalg.norm(short, axis=1, keepdims=True).astype(np.float16)

    rotated = Form(
        turned,
        lambda kept: np.asarray(from_codes(kept[0], "int8", dim=PCA) * kept[1].astype(np.float32)),
        lambda n: n * (PCA + 2),
        lambda query: query @ main_axes,
    )
    return {"half": halves, "int8": coded("int8", dim), "int4": coded("int4", (dim + 1) // 2), f"pca{PCA}": rotated}


def measure(encoder: BiEncoder, sets: Mapping[str, Lists]) -> list[dict[str, Any]]:
    """A row a form: bytes, milliseconds and nDCG@10; then late interaction on the fly, and the cross-encoder."""
    first = next(iter(sets.values()))
    tokens = encoded(encoder, sets)
    drawn = np.concatenate(list(tokens.values())[::5][:2000]).astype(np.float32)
    rotation = np.asarray(np.linalg.svd(drawn.T @ drawn)[0], dtype=np.float32)  # (dim, dim)
    queries = {name: encode_queries(encoder, lists) for name, lists in sets.items()}
    rows = []
    for name, form in forms(rotation, encoder.dim).items():
        kept = Kept(form, {text: form.store(vectors.astype(np.float32)) for text, vectors in tokens.items()})
        size = statistics.mean(form.size(len(vectors)) for vectors in tokens.values())
        times = {depth: timed(partial(kept.rank, encoder), first, depth) for depth in DEPTHS}
        figures = {key: figure(lists, partial(kept.score, queries[key])) for key, lists in sets.items()}
        rows.append({"form": name, "bytes_a_passage": round(size), "ms": times, MEASURE: figures})
    for name, reranker in (
        ("none, on the fly", LateInteractionReranker(encoder)),
        ("none, cross-encoder", CrossEncoderReranker(reranker_path())),
    ):
        rows.append({"form": name, "ms": {depth: timed(reranker.score, first, depth) for depth in DEPTHS}})
    return rows


@dataclass(frozen=True)
class Kept:
    """The token vectors of every passage in one form, by text."""

    form: Form
    stored: Mapping[str, Any]

    def score(self, queries: Mapping[QueryId, Floats], query: QueryId, text: str) -> float:
        """The logit of one pair."""
        return late_interaction(self.form.turn(queries[query]), self.form.load(self.stored[text]))

    def rank(self, encoder: BiEncoder, query: str, texts: Sequence[str]) -> list[float]:
        """The logits of one query's passages, encoding the query too."""
        turned = self.form.turn(encoder.encode_query_tokens([query])[0])
        return [late_interaction(turned, self.form.load(self.stored[text])) for text in texts]


def encoded(encoder: BiEncoder, sets: Mapping[str, Lists]) -> dict[str, NDArray[np.float16]]:
    """The token vectors of every passage, by text."""
    texts = list(
        dict.fromkeys(text for lists in sets.values() for one in lists.passages.values() for text in one.values())
    )
    found: dict[str, NDArray[np.float16]] = {}
    for start in range(0, len(texts), AT_ONCE):
        part = texts[start : start + AT_ONCE]
        found |= {
            text: vectors.astype(np.float16) for text, vectors in zip(part, encoder.encode_tokens(part), strict=True)
        }
    return found


def encode_queries(encoder: BiEncoder, lists: Lists) -> dict[QueryId, Floats]:
    """The token vectors of each query."""
    return dict(zip(lists.queries, encoder.encode_query_tokens(list(lists.queries.values())), strict=True))


def figure(lists: Lists, score: Callable[[QueryId, str], float]) -> float:
    """nDCG@10 of the lists in the order of a score."""
    run = {
        query: Ranking.sort((passage, score(query, text)) for passage, text in found.items())
        for query, found in lists.passages.items()
    }
    return round(measure_run(run, lists.qrels, minimum_grade=1, names=[MEASURE]).means[MEASURE], 4)


def timed(rank: Callable[[str, Sequence[str]], object], lists: Lists, depth: int) -> float:
    """The median milliseconds of a query, after one that isn't counted."""
    seconds = []
    for query, text in list(lists.queries.items())[: TIMED_QUERIES + 1]:
        found = list(lists.passages[query].values())[:depth]
        start = time.perf_counter()
        rank(text, found)
        seconds.append(time.perf_counter() - start)
    return round(1000 * statistics.median(seconds[1:]), 1)


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """In Markdown; milliseconds beside their ratio to the cross-encoder's."""
    cross, names = rows[-1]["ms"], list(rows[0][MEASURE])
    heads = ["stored token vectors", "bytes a passage", *(f"ms, {depth} passages (ratio)" for depth in DEPTHS)]
    heads += [f"{MEASURE}, {name}" for name in names]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for row in rows:
        times = [f"{row['ms'][depth]:.0f} ({row['ms'][depth] / cross[depth]:.2f})" for depth in DEPTHS]
        figures = [f"{row[MEASURE][name]:.4f}" if MEASURE in row else "" for name in names]
        lines.append(f"| {' | '.join((row['form'], str(row.get('bytes_a_passage', '')), *times, *figures))} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
