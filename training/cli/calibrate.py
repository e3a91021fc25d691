"""calibrate: turn the scores of what an index serves into probabilities, if its judged queries tell them."""

import argparse
from dataclasses import asdict
from typing import TYPE_CHECKING

from indexing import places
from indexing.catalogue import current_build
from indexing.cli.options import existing_path
from indexing.cli.printed import print_json
from indexing.cli.shell import Commands
from indexing.errors import SettingsError
from search.calibration.served import is_calibrated
from search.calibration.shipped import ship_calibration
from search.calibration.stored import forget_calibrations
from search.served import SHIPPED
from search.served_settings import OWN_DEFAULT
from training.cli.options import add_json, add_root

if TYPE_CHECKING:
    from pathlib import Path

    from indexing.judged.fit import FittedSet
    from search.pipeline import RetrieveAndRerank
    from training.evaluation.calibrate import Fitted, HeldOut


def add(commands: Commands) -> None:
    """Add the command."""
    command = commands.add_parser("calibrate", help="turn an index's scores into probabilities of relevance")
    command.add_argument("index", metavar="INDEX", help="index, whose served default is calibrated")
    command.add_argument("--split", default="dev", help="judged split beside the corpus to fit on (%(default)s)")
    command.add_argument("--queries", type=existing_path, help="file of queries to fit on in place of the split")
    command.add_argument("--qrels", type=existing_path, help="their judgments")
    command.add_argument("--check", metavar="SPLIT", help="also measure on this split what was fitted, such as test")
    afterwards = command.add_mutually_exclusive_group()
    afterwards.add_argument("--serve", action="store_true", help="show the probabilities with every answer")
    command.add_argument(
        "--if-absent", action="store_true", help="do nothing if what is served is calibrated already, on this build"
    )
    afterwards.add_argument("--forget", action="store_true", help="show no probabilities, and no more")
    afterwards.add_argument(
        "--ship", action="store_true", help="calibrate the program's own default, and write what comes with the program"
    )
    add_root(command)
    add_json(command)
    command.set_defaults(run=_calibrate)


def _calibrate(options: argparse.Namespace) -> int:
    current_build(options.index, root=options.root)
    if options.forget:
        forget_calibrations(options.index, root=options.root)
        print(f"Index {options.index} shows no probabilities any more.")
        return 0
    if options.if_absent and not options.ship and is_calibrated(options.index, root=options.root):
        print(f"Index {options.index} is calibrated already.")
        return 0
    if (options.queries is None) != (options.qrels is None):
        alone = options.queries or options.qrels
        raise SettingsError(f"{alone} alone doesn't say what is judged; give both --queries and --qrels.")
    pipeline = _open(options)
    judged = _judged(pipeline, options.split, options.queries, options.qrels)
    checked = None if options.check is None else _judged(pipeline, options.check)
    fitted = fit(pipeline, judged)
    on_other = None if checked is None else _check(pipeline, fitted, checked)
    if options.serve:
        keep(options.index, fitted, root=options.root)
    if options.ship:
        ship_calibration(fitted.calibration, pipeline.index.manifest)
    if options.json:
        print_json(_as_json(fitted, on_other))
        return 0
    print(text(fitted))
    if checked is not None and on_other is not None:
        print(f"On the {checked.judged.split} queries: {on_other.sentence()}")
    if options.ship:
        print(f"{places.shipped_calibration()} holds it, and comes with the program.")
    if options.serve:
        print(f"Every answer of index {options.index} shows its probabilities from now on.")
    return 0


def _open(options: argparse.Namespace) -> "RetrieveAndRerank":
    """What the index serves; for what comes with the program its own default with the shipped re-ranker."""
    from indexing.index import open_index
    from search.load import open_pipeline, pipeline_on

    if not options.ship:
        return open_pipeline(options.index, root=options.root)
    return pipeline_on(open_index(options.index, root=options.root), reranker=SHIPPED, settings=OWN_DEFAULT)


def _judged(
    pipeline: "RetrieveAndRerank", split: str, queries: "Path | None" = None, qrels: "Path | None" = None
) -> "FittedSet":
    """The judged queries, whose notes go to stderr. Raises SettingsError, CorpusError as `judged_queries` does."""
    from indexing.notes import log_note
    from training.evaluation.calibrate_served import judged_queries

    found = judged_queries(pipeline, split, queries=queries, qrels=qrels)
    for sentence in found.notes:
        log_note(sentence)
    return found


def fit(pipeline: "RetrieveAndRerank", judged: "FittedSet") -> "Fitted":
    """Search for the judged queries, and fit. Raises SettingsError if no probability can be shown."""
    from indexing.progress import Bars
    from training.evaluation.calibrate import fit_calibration, shown_passages

    with Bars("queries") as bars:
        shown = shown_passages(pipeline, judged, progress=bars)
    return fit_calibration(pipeline, shown, split=judged.judged.split)


def keep(index: str, fitted: "Fitted", *, root: "Path | None") -> None:
    """Store the calibration beside the index's builds."""
    from search.calibration.stored import keep_calibration

    keep_calibration(index, fitted.calibration, root=root)


def text(fitted: "Fitted") -> str:
    """What was fitted, and how good it is on held-out queries."""
    made, held_out = fitted.calibration, fitted.held_out
    scores = " + ".join(f"{weight:.3g} {name}" for name, weight in made.weights.items())
    lines = [
        "| share of passages that were relevant | 95 % | passages | from score | to |",
        "|---:|---:|---:|---:|---:|",
    ]
    rows = dict[tuple[float, int, int], list[float]]()
    for knot in made.knots:
        rows.setdefault((knot.probability, knot.passages, knot.relevant), []).append(knot.score)
    ends = {(knot.probability, knot.passages, knot.relevant): (knot.low, knot.high) for knot in made.knots}
    for row, at in rows.items():
        low, high = ends[row]
        lines.append(f"| {row[0]:.3f} | {low:.3f} to {high:.3f} | {row[1]:,} | {at[0]:.2f} | {at[-1]:.2f} |")
    return "\n".join(
        [
            f"{made.curve} of {scores}, re-ranker {made.reranker or 'none'}; fitted on {made.split}, where grade "
            f"{made.minimum_grade} or more is relevant and {held_out.unjudged:,} of {made.passages:,} passages shown "
            "have no grade, which counts as not relevant.",
            *lines,
            f"Weak below {made.cut:.3f}.",
            f"Held out: {held_out.sentence()}",
        ]
    )


def _check(pipeline: "RetrieveAndRerank", fitted: "Fitted", judged: "FittedSet") -> "HeldOut":
    from indexing.progress import Bars
    from training.evaluation.calibrate import apply_calibration, shown_passages

    grade = fitted.calibration.minimum_grade
    with Bars("queries") as bars:
        shown = shown_passages(pipeline, judged, minimum_grade=grade, progress=bars)
    return apply_calibration(fitted.calibration, shown)


def _as_json(fitted: "Fitted", checked: "HeldOut | None") -> dict[str, object]:
    return {
        "calibration": asdict(fitted.calibration),
        "held_out": asdict(fitted.held_out),
        "checked": None if checked is None else asdict(checked),
    }
