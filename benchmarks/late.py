"""python -m benchmarks.late: late interaction on the fly and with stored token vectors, against the cross-encoder.

For each form: bytes a passage, milliseconds a query that re-ranks 20 and 50 passages, and nDCG@10 on the bundled dev
queries' fused lists and on folders of lists (--lists). Give lists to choose by, not those that are tested on. `half` is
the vectors in float16, `pca` the same rotated to fewer dimensions; `int8` and `int4` are what `indexing build
--token-vectors` stores.
"""

import argparse
import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.shipped import chosen_by
from indexing import atomic, precision
from indexing.dense.encoder import BiEncoder
from indexing.records import Floats
from indexing.store.token_vectors import from_codes, to_codes
from search.rerank.cross_encoder import CrossEncoderReranker
from search.rerank.late_interaction import LateInteractionReranker, late_logits
from search.rerank.reranker import Reranker, Scores
from search.served import reranker_path
from training.evaluation.candidates import Candidates, ndcg, reranked
from training.evaluation.settings import MAIN_MEASURE

DEPTHS = (20, 50)
TIMED_QUERIES = 5
PCA = 128  # dimensions
AT_ONCE = 512  # passages that are encoded together


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
    parser.add_argument("--lists", type=Path, nargs="*", default=[], help="folders as evaluate --trec reads them")
    parser.add_argument("--note", default="", help="what a reader of the figures should know, such as other load")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    options = parser.parse_args()
    rows = measure(BiEncoder(), chosen_by(options.lists, ["sample"]))
    print(table(rows))
    machine = f"{platform.machine()}, {os.cpu_count()} cores, device {precision.device()}, torch {torch.__version__}"
    if options.json is not None:
        atomic.write_json(options.json, {"machine": machine, "note": options.note, "rows": rows})


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


def measure(encoder: BiEncoder, sets: Mapping[str, Candidates]) -> list[dict[str, Any]]:
    """A row a form: bytes, milliseconds and nDCG@10; then late interaction on the fly, and the cross-encoder."""
    timed_on = list(sets.values())[-1]
    tokens = encoded(encoder, sets)
    drawn = np.concatenate(list(tokens.values())[::5][:2000]).astype(np.float32)
    rotation = np.asarray(np.linalg.svd(drawn.T @ drawn)[0], dtype=np.float32)  # (dim, dim)
    rows = []
    for name, form in forms(rotation, encoder.dim).items():
        kept = Kept(encoder, form, {text: form.store(vectors.astype(np.float32)) for text, vectors in tokens.items()})
        size = statistics.mean(form.size(len(vectors)) for vectors in tokens.values())
        figures = {key: statistics.fmean(ndcg(reranked(given, kept), given).values()) for key, given in sets.items()}
        times = {depth: timed(kept, timed_on, depth) for depth in DEPTHS}
        rows.append({"form": name, "bytes_a_passage": round(size), "ms": times, MAIN_MEASURE: figures})
    for name, reranker in (
        ("none, on the fly", LateInteractionReranker(encoder)),
        ("none, cross-encoder", CrossEncoderReranker(reranker_path())),
    ):
        rows.append({"form": name, "ms": {depth: timed(reranker, timed_on, depth) for depth in DEPTHS}})
    return rows


@dataclass(frozen=True)
class Kept:
    """Re-ranks by token vectors that are kept in one form, by text."""

    encoder: BiEncoder
    form: Form
    stored: Mapping[str, Any]
    name: str = "kept"

    def score(self, query: str, passages: Sequence[str]) -> Scores:
        """The logits of one query's passages, encoding the query too."""
        turned = self.form.turn(self.encoder.encode_query_tokens([query])[0])
        return Scores(late_logits(turned, (self.form.load(self.stored[text]) for text in passages)))


def encoded(encoder: BiEncoder, sets: Mapping[str, Candidates]) -> dict[str, NDArray[np.float16]]:
    """The token vectors of every passage, by text."""
    texts = list(dict.fromkeys(text for given in sets.values() for text in given.texts.values()))
    found: dict[str, NDArray[np.float16]] = {}
    for start in range(0, len(texts), AT_ONCE):
        part = texts[start : start + AT_ONCE]
        found |= {
            text: vectors.astype(np.float16) for text, vectors in zip(part, encoder.encode_tokens(part), strict=True)
        }
    return found


def timed(reranker: Reranker, given: Candidates, depth: int) -> float:
    """The median milliseconds of a query, after one that isn't counted."""
    seconds = []
    for query in given.queries[: TIMED_QUERIES + 1]:
        found = [given.texts[passage_id] for passage_id in given.run[query.id].passage_ids[:depth]]
        start = time.perf_counter()
        reranker.score(query.text, found)
        seconds.append(time.perf_counter() - start)
    return round(1000 * statistics.median(seconds[1:]), 1)


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """In Markdown; milliseconds beside their ratio to the cross-encoder's."""
    cross, names = rows[-1]["ms"], list(rows[0][MAIN_MEASURE])
    heads = ["stored token vectors", "bytes a passage", *(f"ms, {depth} passages (ratio)" for depth in DEPTHS)]
    heads += [f"{MAIN_MEASURE}, {name}" for name in names]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for row in rows:
        times = [f"{row['ms'][depth]:.0f} ({row['ms'][depth] / cross[depth]:.2f})" for depth in DEPTHS]
        figures = [f"{row[MAIN_MEASURE][name]:.4f}" if MAIN_MEASURE in row else "" for name in names]
        lines.append(f"| {' | '.join((row['form'], str(row.get('bytes_a_passage', '')), *times, *figures))} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
