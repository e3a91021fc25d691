"""python -m benchmarks.ablation TREC: what each source of training data gives, with intervals, after one cold start.

Every arm trains from the same base for the same minutes and by the same loss, on other data; TREC is the folder of a
year whose judgments nothing here is trained on or chosen by. Beside them stand the versions named by --also, then the
served re-ranker, alone and mixed with dense by the share that is best on dev. Versions that are there are measured and
not trained again.
"""

import argparse
import os
import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from indexing import atomic, places
from indexing.dense.encoder import BiEncoder
from indexing.records import Run
from search.rerank.cross_encoder import CrossEncoderReranker
from search.served import reranker_path
from training.data.open_indexes import OpenIndexes
from training.data.settings import DataSettings
from training.evaluation.candidates import Candidates, ndcg, reranked
from training.evaluation.comparison import Comparison, compare_runs
from training.evaluation.stages import choose_shares, rerank_candidates
from training.recipes.catalog import LAMBDA_HARD_NEG
from training.recipes.settings import TrainSettings
from training.source import Source
from training.train.inputs import dev_lists
from training.train.request import DevSettings, TrainRequest
from training.train.train import train_version

MSMARCO, DL21, QA = (Source("index", name) for name in ("msmarco-mini", "trec-dl-2021", "qa-sentences"))
GRADE = 2  # from which a passage counts as relevant, as TREC DL has it
DEV = DevSettings("msmarco-mini", "dev", 60, 20)
BASE = "cold start"
SERVED = "the served re-ranker"


@dataclass(frozen=True)
class Arm:
    """One training."""

    name: str
    recipe: str
    sources: tuple[Source, ...]
    teacher: str = ""


ARMS = (
    Arm("+ judgments of MS MARCO", "lambda", (MSMARCO,)),
    Arm("+ judgments of DL 2021", "lambda", (DL21,)),
    Arm("+ answers of WikiQA and TREC QA", "lambda", (QA,)),
    Arm("+ all three", "lambda", (MSMARCO, DL21, QA)),
    Arm("+ all three, 9 mined negatives more", LAMBDA_HARD_NEG.name, (MSMARCO, DL21, QA)),
    Arm("+ all three, the first stage's scores only", "distill-margin-mse", (MSMARCO, DL21, QA), "first-stage"),
)


def main() -> None:
    """Train, measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("trec", type=Path, help="folder with corpus.jsonl, queries.tsv, qrels.txt and runs/bm25.trec")
    parser.add_argument(
        "--base", default=str(places.models() / "cold-start/1"), help="what every arm starts from (%(default)s)"
    )
    parser.add_argument("--minutes", type=float, default=3.0, help="training of each arm (%(default)s)")
    parser.add_argument("--also", nargs="*", default=[], metavar="VERSION", help="such as third-reranker/1 (none)")
    parser.add_argument("--output", type=Path, default=places.runs() / "ablation", help="folder of all versions")
    parser.add_argument("--write", type=Path, help="also write ablation.md and ablation.json into this folder")
    options = parser.parse_args()
    given, encoder, dev = Candidates.read(options.trec), BiEncoder(), dev_lists(DEV, OpenIndexes())
    on_dev: dict[str, float] = {}
    runs: dict[str, Run] = {}

    def note(name: str, of_dev: Run, of_given: Run) -> None:
        values = ndcg(of_dev, dev)
        on_dev[name] = sum(values.values()) / len(values)
        runs[name] = of_given
        print(f"{name}: {on_dev[name]:.4f} on dev", file=sys.stderr, flush=True)

    def measure(name: str, path: str) -> Run:
        reranker = CrossEncoderReranker(path)
        of_dev = reranked(dev, reranker)
        note(name, of_dev, reranked(given, reranker))
        return of_dev

    start = CrossEncoderReranker(options.base)
    base, base_on_dev = (rerank_candidates(lists, encoder, start) for lists in (given, dev))
    runs = {"BM25": base.bm25, "dense": base.dense, "fused (RRF)": base.fused}
    note(BASE, base_on_dev.reranked, base.reranked)
    for arm in ARMS:
        measure(arm.name, str(_trained(arm, options)))
    for version in options.also:
        measure(f"`{version}`", reranker_path(version))
    served_on_dev = replace(base_on_dev, reranked=measure(SERVED, reranker_path()))
    share = choose_shares(served_on_dev, dev.qrels)["dense"]
    runs[f"{SERVED} + dense, share {share:g}"] = replace(base, reranked=runs[SERVED]).mixed("dense", share)
    found = compare_runs(runs, given.qrels, baseline=BASE, minimum_grade=GRADE)
    said = table(found, on_dev)
    print(said)
    if options.write is not None:
        atomic.write_text(options.write / "ablation.md", said)
        atomic.write_json(options.write / "ablation.json", _figures(found, on_dev, options))


def table(found: Comparison, on_dev: Mapping[str, float]) -> str:
    """In Markdown: each system, its interval, and how it differs from the base."""
    lines = [
        f"| | dev nDCG@10 | {found.measure} | 95 % interval | against {found.baseline} | 95 % interval | p (Holm) |",
        "|---|---:|---:|---|---:|---|---:|",
    ]
    for name, measured in found.systems.items():
        low, high = found.intervals[name]
        cells = [name, f"{on_dev[name]:.4f}" if name in on_dev else "", f"{measured.means[found.measure]:.4f}"]
        cells.append(f"{low:.3f} to {high:.3f}")
        versus = found.versus.get(name)
        if versus is None:
            cells += [""] * 3
        else:
            between = "{:+.3f} to {:+.3f}".format(*versus.interval)
            cells += [f"{versus.difference:+.4f}", between, f"{versus.holm_randomization:.4f}"]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _trained(arm: Arm, options: argparse.Namespace) -> Path:
    name = arm.name.strip("+ ").replace(",", "").replace(" ", "-")
    output: Path = options.output / name / "1"
    if not output.exists():
        settings = TrainSettings(base=options.base, minutes=options.minutes, learning_rate=5e-5, batch=8, save_every=25)
        data = DataSettings(sources=arm.sources, index=MSMARCO.index, limit=400, teacher=arm.teacher)
        protect = (options.trec / "queries.tsv",)
        request = TrainRequest(output=output, recipe=arm.recipe, settings=settings, data=data, protect=protect)
        train_version(request, resume=True, command="python -m benchmarks.ablation")
    return output


def _figures(found: Comparison, on_dev: Mapping[str, float], options: argparse.Namespace) -> dict[str, Any]:
    systems = {
        name: {
            found.measure: measured.means[found.measure],
            "interval": found.intervals[name],
            "dev": on_dev.get(name),
            "by query": measured.per_query[found.measure],
        }
        for name, measured in found.systems.items()
    }
    machine = f"{platform.machine()}, {os.cpu_count()} cores, {os.environ.get('OMP_NUM_THREADS', 'all')} threads"
    return {"machine": machine, "minutes": options.minutes, "base": options.base, "systems": systems}


if __name__ == "__main__":
    main()
