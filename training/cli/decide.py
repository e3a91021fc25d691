"""decide: say whether re-ranking pays on an index, and on request serve what was decided."""

import argparse
import re
import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from indexing import atomic, places
from indexing.catalogue import current_build
from indexing.cli.numbers import whole
from indexing.cli.options import existing_path
from indexing.cli.printed import print_json
from indexing.cli.shell import Commands
from indexing.errors import SettingsError
from search.served import DEFAULT_RERANKER, LATE, reranker_path
from search.served_settings import ServedSettings, forget, rollback, served_settings
from training.cli.options import add_html, add_json, add_root, add_runs, check_html, today

if TYPE_CHECKING:
    from training.choosing.decide import Decision
    from training.choosing.kept_decision import KeptDecision
    from training.choosing.opened import DecideRequest

USUAL = (DEFAULT_RERANKER, LATE)
"""The re-rankers that are tried where none is named."""
UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}


def add(commands: Commands) -> None:
    """Add the command."""
    command = commands.add_parser("decide", help="say whether re-ranking pays on an index, and how it is best served")
    command.add_argument("indexes", nargs="+", metavar="INDEX", help="index, or several of one corpus")
    command.add_argument("--split", default="dev", help="judged split beside the corpus (%(default)s)")
    command.add_argument("--queries", type=existing_path, help="file of queries to use in place of the split")
    command.add_argument("--qrels", type=existing_path, help="their judgments; without, nothing is judged")
    add_runs(command, "TREC run of what you have today, compared and re-ranked; may be repeated", kind="FILE")
    command.add_argument(
        "--reranker",
        action="append",
        default=[],
        help="re-ranker to try; may be repeated (the served one, and late interaction)",
    )
    command.add_argument("--budget", type=_seconds, default=600.0, help="about how long: 90s, 10m, 1h (10m)")
    command.add_argument("--seed", type=whole(0), default=0, help="of the halves of the queries (%(default)s)")
    afterwards = command.add_mutually_exclusive_group()
    afterwards.add_argument("--serve", action="store_true", help="make what is decided the index's served default")
    afterwards.add_argument(
        "--if-absent", action="store_true", help="print what was decided last if nothing has changed since, else decide"
    )
    afterwards.add_argument("--rollback", action="store_true", help="serve again what was served before, and no more")
    afterwards.add_argument("--forget", action="store_true", help="serve the program's own default, and no more")
    command.add_argument(
        "--stop-early", action="store_true", help="with --serve: serve it stopping early, at the risk in the table"
    )
    add_root(command)
    add_html(command)
    add_json(command)
    command.set_defaults(run=_decide)


def _seconds(text: str) -> float:
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)([smh])", text.strip())
    if found is None or float(found[1]) <= 0:
        raise argparse.ArgumentTypeError(f"{text!r} isn't a time such as 90s, 10m or 1h")
    return float(found[1]) * UNITS[found[2]]


def _decide(options: argparse.Namespace) -> int:
    if options.rollback or options.forget:
        return _change(options)
    _check(options)
    from indexing.notes import log_note
    from indexing.progress import Bars
    from training.choosing.decide import decide
    from training.choosing.evaluated import KeptReading
    from training.choosing.kept_decision import reading_folder
    from training.choosing.opened import DecideRequest, open_for, request_identity

    request = DecideRequest(
        indexes=tuple(options.indexes),
        root=options.root,
        split=options.split,
        queries=options.queries,
        qrels=options.qrels,
        runs=dict(options.run_files),
        rerankers=tuple(dict.fromkeys(options.reranker)) or USUAL,
        seconds=options.budget,
        seed=options.seed,
    )
    identity = request_identity(request)
    if options.if_absent and (known := _known(request, identity)) is not None:
        return _print_known(known, options)
    opened = open_for(request, note=log_note)
    keep = KeptReading(reading_folder(), opened[0].fingerprints)
    with Bars("queries") as bars:
        decision = decide(opened, request, keep=keep, progress=bars)
    for sentence in decision.notes:
        log_note(sentence)
    return _give(decision, identity, options)


def _check(options: argparse.Namespace) -> None:
    """Refuse at once what can't be, before anything heavy is imported."""
    if options.stop_early and not options.serve:
        raise SettingsError("--stop-early says how what is decided is served; give --serve too.")
    check_html(options)
    for name in options.indexes:
        current_build(name, root=options.root)
    for name, path in options.run_files:
        if not path.is_file():
            raise SettingsError(f"--run {name}={path}: there is no such file; give a TREC run.")
    for name in options.reranker or USUAL:
        reranker_path(name)


def _known(request: "DecideRequest", identity: "Mapping[str, Any]") -> "KeptDecision | None":
    """What was decided last, if nothing has changed since and it had as much time."""
    from training.choosing.kept_decision import last_decision

    known = last_decision(request.indexes[0]) if request.root == places.indexes() else None
    return known if known is not None and known.holds(identity, seconds=request.seconds) else None


def _print_known(known: "KeptDecision", options: argparse.Namespace) -> int:
    if options.json:
        print_json(known.figures)
    else:
        print(known.text())
    return 0


def _give(decision: "Decision", identity: "Mapping[str, Any]", options: argparse.Namespace) -> int:
    """Print the decision, and serve it where that was asked for."""
    from training.choosing.kept_decision import keep, serve_decision, to_keep
    from training.choosing.table import decision_text

    split = options.split if options.queries is None else options.queries.name
    if options.html is not None:
        from training.choosing.html import decision_html

        builds = {name: current_build(name, root=options.root).name for name in options.indexes}
        atomic.write_text(options.html, decision_html(decision.as_json(), builds, split=split, at=today()))
    if options.json:
        print_json(decision.as_json())
    else:
        print(decision_text(decision))
    kept = replace(to_keep(decision, split=split), identity=identity, seconds=options.budget)
    if options.root == places.indexes():  # the pages show what was decided for the indexes that they open
        keep(kept, options.indexes)
    if options.serve:
        from training.versions.promoted import person

        index, _ = serve_decision(kept, root=options.root, by=person(), early=options.stop_early)
        print(_calibrate(options, index), file=sys.stderr if options.json else sys.stdout)
        if not options.json:
            print(f"Index {index} answers so from now on; back: python -m training decide {index} --rollback")
    return 0


def _calibrate(options: argparse.Namespace, index: str) -> str:
    """Calibrate what is served now, by the queries that it was decided on; what came of it, in a sentence."""
    from indexing.progress import Bars
    from search.load import open_pipeline
    from training.evaluation.calibrate_served import calibrate_served

    given = {"queries": options.queries, "qrels": options.qrels, "root": options.root}
    with Bars("queries") as bars:
        return calibrate_served(open_pipeline(index, root=options.root), options.split, **given, progress=bars)


def _change(options: argparse.Namespace) -> int:
    """Go back to what was served before."""
    for name in options.indexes:
        if options.forget:
            forget(name, root=options.root)
            served: ServedSettings | None = None
        else:
            rollback(name, root=options.root)
            served = served_settings(name, root=options.root)
        what = "the program's own default" if served is None else f"what was chosen at {served.at}"
        print(f"Index {name} answers by {what} again.")
    return 0
