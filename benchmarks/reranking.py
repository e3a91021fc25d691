"""python -m benchmarks.reranking: re-ranking and training speed against sentence-transformers at its defaults.

Real passages and queries of data/sample, the same pairs on both sides, both in this process, in turn.
Prints pairs a second and the ratio; `--json` also writes them.
"""

import argparse
import json
import os
import platform
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path

import torch
from datasets import Dataset
from sentence_transformers import CrossEncoder
from sentence_transformers.cross_encoder import CrossEncoderTrainer, CrossEncoderTrainingArguments, losses

from indexing import atomic, precision
from indexing.corpus import Corpus
from indexing.encoder import DEFAULT_BI_ENCODER, bundled_path, load_quietly
from indexing.judged import judged_sets
from search.load import reranker_path
from search.rerank import CrossEncoderReranker
from training.examples import Example
from training.fit import ROWS, fit
from training.loss_recipes import COLD_START
from training.row_files import write_rows
from training.train_settings import TrainSettings

SAMPLE = Path("data/sample")
REPEATS = 3


def main() -> None:
    """Measure, print, and write where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="also write the figures here")
    options = parser.parse_args()
    load_quietly()
    figures = {"re-ranking": _reranking(), "training": _training()}
    for name, row in figures.items():
        print(
            f"{name:<11} sentence-transformers {row['peer']:6.0f} pairs/s   ours {row['ours']:6.0f} pairs/s   "
            f"ratio {row['ratio']:.1f}   (median of {REPEATS} each)"
        )
    machine = f"{platform.machine()}, {os.cpu_count()} cores, device {precision.device()}, torch {torch.__version__}"
    dtype = str(precision.fastest_dtype(precision.device())).removeprefix("torch.")
    print(f"machine     {machine}, {dtype} chosen")
    if options.json is not None:
        atomic.write_json(options.json, {"machine": machine, "dtype": dtype, "repeats": REPEATS, **figures})
        print(json.dumps(str(options.json)))


def _reranking() -> dict[str, float]:
    """100 passages a query, 4 queries, scored from text to logit."""
    passages = [passage.content for passage in Corpus(SAMPLE)][:1400:14]
    queries = [query.text for query in judged_sets(SAMPLE)["dev"].queries[:4]]
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


def _training() -> dict[str, float]:
    """4 steps of 16 groups of 8 passages: the same base, the same loss, 160 tokens at most."""
    texts = [passage.content for passage in Corpus(SAMPLE)]
    queries = [query.text for query in judged_sets(SAMPLE)["train"].queries[:64]]
    examples = [
        Example("benchmark", query, tuple(texts[row * 8 : row * 8 + 8]), scores=(1.0, *[0.0] * 7))
        for row, query in enumerate(queries)
    ]
    settings = TrainSettings(COLD_START, learning_rate=2e-5, save_every=0)

    def run_peer() -> None:
        model = CrossEncoder(bundled_path(DEFAULT_BI_ENCODER), num_labels=1, max_length=settings.max_length)
        data = Dataset.from_dict(
            {
                "query": [example.query for example in examples],
                "docs": [list(example.passages) for example in examples],
                "labels": [list(example.scores or ()) for example in examples],
            }
        )
        with tempfile.TemporaryDirectory() as folder:
            arguments = CrossEncoderTrainingArguments(
                output_dir=folder,
                num_train_epochs=1,
                per_device_train_batch_size=16,
                save_strategy="no",
                report_to=[],
                disable_tqdm=True,
            )
            CrossEncoderTrainer(model=model, args=arguments, train_dataset=data, loss=losses.ListNetLoss(model)).train()

    def run_ours() -> None:
        with tempfile.TemporaryDirectory() as folder:
            write_rows(Path(folder) / ROWS, examples, settings.loss_recipe.form, seed=settings.seed)
            fit(Path(folder), settings)

    return _compare(run_peer, run_ours, pairs=len(examples) * 8)


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
