"""python -m training prepare|mine|train|evaluate|nano-beir|models|promote|rollback: make re-rankers, measure them."""

import argparse
import logging
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from indexing import atomic, hub
from indexing.errors import SecondLookError, SettingsError, TrainingError
from indexing.judged import judged_sets
from search.load import NO_RERANKER, open_pipeline, open_reranker, reranker_path
from training import card, nano_beir, pointer, registry, report
from training.evaluation import Evaluation, Request, evaluate_pipeline
from training.first_stage import open_corpus_folder
from training.gather import Gatherer, protected_queries, sample_protection
from training.mine import MiningSettings
from training.mine_index import mine_to
from training.mined_files import FORMS, Layout
from training.mining_report import describe
from training.options import arguments
from training.prepare import prepare
from training.promote import promote
from training.protection import Protection
from training.recipes import RECIPES
from training.result_files import file_names
from training.train import StepReport, new_cross_encoder, save_weights, train_stage

SAMPLE = Path("data/sample")


def main(given: Sequence[str] | None = None) -> int:
    """Run one command; give back the exit status."""
    options = parser().parse_args(given)
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
        data=card.data_rows({item.index for stage in recipe.stages for item in stage.ingredients}, root=options.root),
    )
    with atomic.folder(options.output) as work:
        save_weights(model, work)
        card.write(work, values, command=f"python -m training train --recipe {options.recipe}")
    print(f"Re-ranker: {options.output} ({values['minutes']} minutes, {values['pairs']:,} pairs)")
    return 0


def _evaluate(options: argparse.Namespace) -> int:
    pipeline = open_pipeline(options.index, reranker=options.reranker, root=options.root)
    settings = report.Settings(options.measure, options.minimum_grade, options.baseline)
    request = Request(options.split, options.depth, options.trec, dict(options.run_file), options.missed, settings)
    bars = Bars("queries")
    found = evaluate_pipeline(pipeline, request, progress=bars.at)
    bars.close()
    for part in found.reports:
        print(f"\n{report.markdown(part)}")
    print(f"\nRe-ranker: {found.reranker}. {_share(found)}")
    if options.json is not None:
        atomic.write_json(options.json, found.as_json())
    if options.output is not None:
        names = file_names(part.title for part in found.reports)
        for part, name in zip(found.reports, names, strict=True):
            report.write(options.output / name, part)
        print(f"Values by query, runs and qrels: {options.output}")
    return 0


def _share(found: Evaluation) -> str:
    if found.weight is None:
        return "Without dev queries it isn't mixed with the first stage."
    return f"Its share where it is mixed with the first stage, chosen on the dev split: {found.weight}."


def _nano_beir(options: argparse.Namespace) -> int:
    found = nano_beir.evaluate_nano_beir(
        reranker_path(options.reranker),
        source=options.source,
        sets=options.sets,
        rerank_k=options.rerank_k,
        always_rerank_positives=not options.as_retrieved,
        show_progress=True,
    )
    print(nano_beir.table(found))
    if options.json is not None:
        atomic.write_json(options.json, nano_beir.as_json(found))
    return 0


def _mine(options: argparse.Namespace) -> int:
    pipeline = open_pipeline(options.index, reranker=NO_RERANKER, root=options.root)
    folder = open_corpus_folder(pipeline.index)
    sets = judged_sets(folder)
    if options.split not in sets:
        raise SettingsError(f"The corpus of index {options.index} has no judged {options.split} queries: {list(sets)}.")
    names = ("per_query", "sampling", "relative_margin", "absolute_margin", "max_score", "min_score", "near_duplicate")
    chosen = {name: getattr(options, name) for name in (*names, "minimum_grade", "seed")}
    bars = Bars("queries")
    found = mine_to(
        options.output,
        pipeline,
        sets[options.split],
        MiningSettings(ranks=tuple(options.ranks), **chosen),
        source=options.source,
        reranker=open_reranker(options.reranker),
        layout=Layout(tuple(options.form or FORMS), scores=options.scores),
        protection=Protection.read(options.protect, [path for path in (SAMPLE, folder) if path.is_dir()]),
        progress=lambda done, total: bars.at("mine", done, total),
    )
    bars.close()
    print(describe(found))
    print(f"Mined negatives: {options.output}")
    return 0


def _models(options: argparse.Namespace) -> int:
    if options.history:
        for row in pointer.history(options.models):
            print(f"{row.at}  {row.action:<8} {row.promoted}  by {row.by}  {row.reason}".rstrip())
        return 0
    at = pointer.current(options.models)
    print("\n".join(registry.listing(registry.versions(options.models), promoted=at.promoted, before=at.before)))
    return 0


def _promote(options: argparse.Namespace) -> int:
    pipeline = open_pipeline(options.index, reranker=NO_RERANKER, root=options.root)
    bars = Bars("queries")
    now = promote(
        options.version,
        pipeline,
        by=pointer.person(),
        reason=options.reason,
        force=options.force,
        models=options.models,
        depth=options.depth,
        progress=bars.at,
    )
    bars.close()
    print(f"{now.promoted} is served from now on; before it: {now.before}.")
    return 0


def _rollback(options: argparse.Namespace) -> int:
    now = pointer.rollback(by=pointer.person(), reason=options.reason, models=options.models)
    print(f"{now.promoted} is served again.")
    return 0


def parser() -> argparse.ArgumentParser:
    """The command line of this package."""
    runs = {
        "prepare": _prepare,
        "mine": _mine,
        "train": _train,
        "evaluate": _evaluate,
        "nano-beir": _nano_beir,
        "models": _models,
        "promote": _promote,
        "rollback": _rollback,
    }
    return arguments(runs, description=__doc__ or "")


if __name__ == "__main__":
    sys.exit(main())
