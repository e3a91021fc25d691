"""python -m benchmarks.training: training speed and quality against CrossEncoderTrainer at its defaults in float32.

The same lists of an index's judged train queries, the same base, loss, batch and learning rate, several seeds; both
sides train in turn in this process and are measured on the same dev queries by the same code. Prints pairs a second,
their ratio, and nDCG@10 of every seed; `--json` also writes them.
"""

import argparse
import os
import platform
import statistics
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from sentence_transformers import CrossEncoder
from sentence_transformers.cross_encoder import CrossEncoderTrainer, CrossEncoderTrainingArguments, losses
from torch.nn import Module

from indexing import atomic, precision
from indexing.names import DEFAULT_BI_ENCODER
from indexing.pretrained import bundled_path
from search.rerank.cross_encoder import CrossEncoderReranker
from training.data.collect import collect
from training.data.open_indexes import OpenIndexes
from training.data.settings import DataSettings
from training.evaluation.candidates import Candidates, ndcg, reranked
from training.example import Example
from training.fitting.fit import ROWS, fit
from training.fitting.model import save_weights
from training.recipes.row_files import read_rows, write_rows
from training.recipes.settings import FitSettings
from training.source import Source
from training.train.inputs import dev_lists, protection_of
from training.train.request import DevSettings, LearningRequest

SIDES = ("peer", "ours")
LOSSES: Mapping[str, Callable[[CrossEncoder], Module]] = {
    "listnet": losses.ListNetLoss,
    "lambda": partial(losses.LambdaLoss, weighting_scheme=losses.NDCGLoss2PPScheme()),
}
"""What the peer trains by, of the recipe's name; all else is at its defaults."""
WARM_LISTS = 16  # of an unmeasured training first, which loads libraries and kernels


def main() -> None:
    """Measure, print, and write where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recipe", choices=list(LOSSES), default="lambda", help="loss of both sides (%(default)s)")
    parser.add_argument("--index", default="sample", help="with judged train and dev queries (%(default)s)")
    parser.add_argument("--base", default=DEFAULT_BI_ENCODER, help="model that both start from (%(default)s)")
    parser.add_argument("--lists", type=int, default=200)
    parser.add_argument("--batch", type=int, default=8, help="lists a step (%(default)s)")
    parser.add_argument("--learning-rate", type=float, default=5e-5)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--json", type=Path, help="also write the figures here")
    options = parser.parse_args()
    settings = FitSettings(
        recipe=options.recipe,
        base=bundled_path(options.base),
        batch=options.batch,
        learning_rate=options.learning_rate,
        save_every=0,
    )
    asked = DevSettings(options.index, "dev", 60, 20)
    data = DataSettings(sources=(Source("index", options.index),), limit=options.lists)
    indexes = OpenIndexes()
    protection = protection_of(LearningRequest(data=data, dev=asked))
    examples = list(collect(settings.loss_recipe, data, protection=protection, dropped=Counter(), indexes=indexes))
    dev = dev_lists(asked, indexes)
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        for name, given in (("warm", examples[:WARM_LISTS]), ("all", examples)):
            write_rows(work / name / ROWS, given, settings.loss_recipe.form, seed=settings.seed)
        pairs = read_rows(work / "all" / ROWS)[1].pairs
        _peer(examples[:WARM_LISTS], work / "warm-peer", settings)
        _ours(work / "warm", work / "warm-ours", settings)
        for seed in options.seeds:
            own = replace(settings, seed=seed)
            for side in SIDES:
                model = work / f"{side}-{seed}"
                seconds = _peer(examples, model, own) if side == "peer" else _ours(work / "all", model, own)
                quality = _measured(model, dev, settings.max_length)
                row = {"side": side, "seed": seed, "pairs/s": pairs / seconds, "ndcg": quality}
                rows.append(row)
                print(f"seed {seed} {side:<4} {row['pairs/s']:6.1f} pairs/s   nDCG@10 {row['ndcg']:.4f}", flush=True)
    _report(rows, options)


def _peer(examples: Sequence[Example], output: Path, settings: FitSettings) -> float:
    """Seconds of sentence-transformers' trainer, its model being open; that is saved to `output`."""
    torch.manual_seed(settings.seed)
    model = CrossEncoder(
        settings.base, num_labels=1, max_length=settings.max_length, model_kwargs={"dtype": torch.float32}
    )
    data = Dataset.from_dict(
        {
            "query": [example.query for example in examples],
            "docs": [list(example.passages) for example in examples],
            "labels": [list(example.labels or ()) for example in examples],
        }
    )
    arguments = CrossEncoderTrainingArguments(
        output_dir=str(output / "work"),
        num_train_epochs=1,
        per_device_train_batch_size=settings.rows_a_step,
        learning_rate=settings.peak_rate,
        warmup_steps=settings.warmup,
        seed=settings.seed,
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
    )
    trainer = CrossEncoderTrainer(model=model, args=arguments, train_dataset=data, loss=LOSSES[settings.recipe](model))
    start = precision.clock(precision.device())
    trainer.train()
    seconds = precision.clock(precision.device()) - start
    model.save_pretrained(str(output), create_model_card=False)
    return seconds


def _ours(rows: Path, output: Path, settings: FitSettings) -> float:
    """Seconds of `fit`, opening the model included; its model is saved to `output`."""
    start = precision.clock(precision.device())
    fitted = fit(rows, settings)
    seconds = precision.clock(precision.device()) - start
    with atomic.folder(output) as target:
        save_weights(fitted.model, target)
    return seconds


def _measured(model: Path, dev: Candidates, max_length: int) -> float:
    """nDCG@10, both sides reading as many tokens: each saves another limit with its model."""
    reranker = CrossEncoderReranker(str(model), max_length=max_length)
    values = ndcg(reranked(dev, reranker, progress=lambda *_: None), dev)
    return sum(values.values()) / len(values)


def _report(rows: Sequence[dict[str, Any]], options: argparse.Namespace) -> None:
    mean = {
        (side, value): statistics.mean(row[value] for row in rows if row["side"] == side)
        for side in SIDES
        for value in ("pairs/s", "ndcg")
    }
    ratio = mean["ours", "pairs/s"] / mean["peer", "pairs/s"]
    difference = mean["ours", "ndcg"] - mean["peer", "ndcg"]
    print(
        f"training    {ratio:.1f} times the pairs a second, nDCG@10 {difference:+.4f} (means of {len(options.seeds)})"
    )
    cores = f"{torch.get_num_threads()} threads of {os.cpu_count()} cores"
    machine = f"{platform.machine()}, {cores}, device {precision.device()}, torch {torch.__version__}"
    print(f"machine     {machine}")
    if options.json is not None:
        asked = {
            "recipe": options.recipe,
            "index": options.index,
            "lists": options.lists,
            "batch": options.batch,
            "rate": options.learning_rate,
        }
        atomic.write_json(
            options.json, {"machine": machine, **asked, "runs": rows, "ratio": ratio, "difference": difference}
        )


if __name__ == "__main__":
    main()
