"""python -m benchmarks.reranking: re-ranking speed against sentence-transformers at its defaults.

Real passages and queries of data/sample, the same pairs on both sides, both in this process, in turn.
Prints pairs a second and the ratio; `--json` also writes them.
"""

import argparse
import json
import os
import platform
import statistics
from collections.abc import Callable
from pathlib import Path

import torch
from sentence_transformers import CrossEncoder

from indexing import atomic, places, precision
from indexing.corpus.corpus import Corpus
from indexing.judged.sets import judged_sets
from search.rerank.cross_encoder import CrossEncoderReranker
from search.served import reranker_path

REPEATS = 3


def main() -> None:
    """Measure, print, and write where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="also write the figures here")
    options = parser.parse_args()
    figures = _reranking()
    print(
        f"re-ranking  sentence-transformers {figures['peer']:6.0f} pairs/s   ours {figures['ours']:6.0f} pairs/s   "
        f"ratio {figures['ratio']:.1f}   (median of {REPEATS} each)"
    )
    machine = f"{platform.machine()}, {os.cpu_count()} cores, device {precision.device()}, torch {torch.__version__}"
    dtype = str(precision.fastest_dtype(precision.device())).removeprefix("torch.")
    print(f"machine     {machine}, {dtype} chosen")
    if options.json is not None:
        atomic.write_json(options.json, {"machine": machine, "dtype": dtype, "repeats": REPEATS, **figures})
        print(json.dumps(str(options.json)))


def _reranking() -> dict[str, float]:
    """100 passages a query, 4 queries, scored from text to logit."""
    passages = [passage.content for passage in Corpus(places.sample())][:1400:14]
    queries = [query.text for query in judged_sets(places.sample())["dev"].queries[:4]]
    path = reranker_path()
    peer = CrossEncoder(path, model_kwargs={"dtype": torch.float32})
    ours = CrossEncoderReranker(path)

    def run_peer() -> None:
        for query in queries:
            peer.predict([(query, passage) for passage in passages], show_progress_bar=False)

    def run_ours() -> None:
        for query in queries:
            ours.score(query, passages)

    return _compare(run_peer, run_ours, pairs=len(queries) * len(passages))


def _compare(run_peer: Callable[[], None], run_ours: Callable[[], None], *, pairs: int) -> dict[str, float]:
    """Pairs a second of both, in turn, one unmeasured run each first."""
    seconds: dict[str, list[float]] = {"peer": [], "ours": []}
    for repeat in range(REPEATS + 1):
        for name, run in (("peer", run_peer), ("ours", run_ours)):
            start = precision.clock(precision.device())
            run()
            if repeat:
                seconds[name].append(precision.clock(precision.device()) - start)
    rates = {name: pairs / statistics.median(values) for name, values in seconds.items()}
    return {**rates, "ratio": rates["ours"] / rates["peer"]}


if __name__ == "__main__":
    main()
