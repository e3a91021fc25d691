"""python -m training prepare|train|evaluate: lay judged data out, train a re-ranker, measure every stage."""

import argparse
import logging
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from indexing import atomic, hub
from indexing.errors import SecondLookError, SettingsError, TrainingError
from indexing.index import ROOT
from indexing.judged import judged_sets
from search.load import DEFAULT_RERANKER, open_pipeline
from training import card
from training.evaluate import (
    MINIMUM_GRADE,
    Candidates,
    Row,
    choose_weight,
    rerank_candidates,
    retrieve_stages,
    stage_rows,
    table,
)
from training.first_stage import open_corpus_folder
from training.gather import Gatherer, protected_queries, sample_protection
from training.prepare import prepare
from training.recipes import RECIPES
from training.train import StepReport, new_cross_encoder, save_weights, train_stage

SAMPLE = Path("data/sample")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; give back the exit status."""
    options = parser().parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    try:
        status: int = options.run(options)
    except (SecondLookError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Stopped; nothing half-made was left.", file=sys.stderr)
        return 130
    return status


class Bars:
    """One progress bar at a time, a new one whenever the phase changes."""

    def __init__(self, unit: str) -> None:
        self._unit = unit
        self._phase = ""
        self._bar: tqdm[None] | None = None

    def at(self, phase: str, done: int, total: int, *, note: str = "") -> None:
        """Show that `done` of `total` are done in this phase."""
        if phase != self._phase or self._bar is None:
            self.close()
            self._phase = phase
            self._bar = tqdm(desc=phase, total=total, unit=f" {self._unit}", dynamic_ncols=True, mininterval=0.5)
        self._bar.set_postfix_str(note, refresh=False)
        self._bar.update(done - self._bar.n)

    def more(self, phase: str, done: int, total: int) -> None:
        """Show that `done` more are done."""
        start = self._bar.n if self._bar is not None and phase == self._phase else 0
        self.at(phase, start + done, total)

    def close(self) -> None:
        """Leave the bar on its line."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def _prepare(options: argparse.Namespace) -> int:
    for name, path in prepare(options.judged, hub.ROOT).items():
        print(f"{name:<14} {path}")
    return 0


def _train(options: argparse.Namespace) -> int:
    recipe = RECIPES[options.recipe]
    if options.output.exists():
        raise TrainingError(f"{options.output} is there already; give another --output, or move it away.")
    protected = protected_queries(options.protect) | sample_protection(SAMPLE)
    start, revision = time.monotonic(), card.code_revision()
    bars = Bars("queries")
    gatherer = Gatherer(root=options.root, protected=protected, progress=bars.more)
    examples = {stage.name: gatherer.stage(stage, recipe.mining) for stage in recipe.stages}
    bars.close()
    print(f"{sum(map(len, examples.values())):,} groups; {gatherer.dropped} protected queries left out", flush=True)
    model = new_cross_encoder(recipe)
    losses = {}
    steps = Bars("steps")
    recent: list[float] = []

    def report(at: StepReport) -> None:
        recent.append(at.loss)
        loss = sum(recent[-20:]) / len(recent[-20:])
        steps.at(at.stage, at.step, at.steps, note=f"loss {loss:.3f}, lr {at.learning_rate:.1e}")

    for stage in recipe.stages:
        losses[stage.name] = train_stage(model, examples[stage.name], recipe, stage, report=report)
        recent.clear()
    steps.close()
    values = card.manifest(
        recipe,
        options.recipe,
        examples,
        losses=losses,
        minutes=(time.monotonic() - start) / 60,
        revision=revision,
    )
    with atomic.folder(options.output) as work:
        save_weights(model, work)
        card.write(work, values, command=f"python -m training train --recipe {options.recipe}")
    print(f"Re-ranker: {options.output} ({values['minutes']} minutes, {values['pairs']:,} pairs)")
    return 0


def _evaluate(options: argparse.Namespace) -> int:
    pipeline = open_pipeline(options.index, reranker=options.reranker, root=options.root)
    if pipeline.reranker is None:
        raise SettingsError("evaluate compares stages and needs a re-ranker; --reranker none has none.")
    sets = judged_sets(open_corpus_folder(pipeline.index))
    for split in ("dev", options.split):
        if split not in sets:
            raise SettingsError(
                f"The corpus of index {options.index} has no judged {split} queries (there: {list(sets)})."
            )
    bars = Bars("queries")
    stages = {
        split: retrieve_stages(
            pipeline,
            sets[split].queries,
            depth=options.depth,
            progress=lambda done, total, split=split: bars.at(split, done, total),  # type: ignore[misc]  # bound default
        )
        for split in dict.fromkeys(("dev", options.split))
    }
    bars.close()
    weight = choose_weight(stages["dev"], sets["dev"])
    judged = sets[options.split]
    rows = {f"{options.index}, {options.split} split": stage_rows(stages[options.split], judged.qrels, weight=weight)}
    counts = {f"{options.index}, {options.split} split": len(judged.qrels)}
    if options.trec is not None:
        candidates = Candidates.read(options.trec)
        encoder = pipeline.encoder
        found = rerank_candidates(
            candidates, encoder, pipeline.reranker, progress=lambda done, total: bars.at("TREC run", done, total)
        )
        bars.close()
        title = f"{options.trec.name}, BM25's top 100 as given"
        rows[title] = stage_rows(found, candidates.qrels, weight=weight)
        counts[title] = len(candidates.qrels)
    _print_tables(rows, counts, weight=weight, reranker=pipeline.reranker.name)
    if options.json is not None:
        atomic.write_json(options.json, _as_json(rows, weight))
    return 0


def _print_tables(rows: dict[str, list[Row]], counts: dict[str, int], *, weight: float, reranker: str) -> None:
    for title, part in rows.items():
        print(f"\n### {title} ({counts[title]} judged queries)\n\n{table(part)}")
    print(f"\nRe-ranker: {reranker}. Its share in the last row, chosen on the dev split: {weight}.")
    print(f"MRR@10 and R@100 count grades from {MINIMUM_GRADE} on.")


def _as_json(rows: dict[str, list[Row]], weight: float) -> dict[str, object]:
    return {
        "weight": weight,
        "tables": {
            title: [
                {"system": row.system, **row.values, "interval": list(row.interval), "ndcg_by_query": row.per_query}
                for row in part
            ]
            for title, part in rows.items()
        },
    }


def parser() -> argparse.ArgumentParser:
    """The command line of this package."""
    root = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    commands = root.add_subparsers(required=True)
    lay = commands.add_parser("prepare", help="lay judged collections out under data/corpora/, to be indexed")
    lay.add_argument("--judged", type=Path, required=True, help="folder with one sub-folder a collection")
    lay.set_defaults(run=_prepare)
    train = commands.add_parser("train", help="train a re-ranker by a recipe")
    train.add_argument("--recipe", choices=sorted(RECIPES), required=True)
    train.add_argument("--output", type=Path, required=True, help="folder to make")
    train.add_argument(
        "--protect", type=Path, action="append", default=[], help="file of queries never to train on; may be repeated"
    )
    train.set_defaults(run=_train)
    evaluate = commands.add_parser("evaluate", help="measure BM25, dense, fused, re-ranked and interpolated")
    evaluate.add_argument("--index", default="sample")
    evaluate.add_argument("--split", default="test")
    evaluate.add_argument("--depth", type=int, default=100)
    evaluate.add_argument("--reranker", default=DEFAULT_RERANKER)
    evaluate.add_argument("--trec", type=Path, help="folder of a TREC DL year: re-rank its runs/bm25.trec")
    evaluate.add_argument("--json", type=Path, help="also write the figures here")
    evaluate.set_defaults(run=_evaluate)
    for command in (train, evaluate):
        command.add_argument("--root", type=Path, default=ROOT, help="folder of all indexes (%(default)s)")
    return root


if __name__ == "__main__":
    sys.exit(main())
