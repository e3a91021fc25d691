"""race: compare recipes under one budget."""

import argparse
import re
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from indexing import atomic, places
from indexing.atomic import check_new
from indexing.errors import SettingsError
from training.cli.options import Commands
from training.cli.train import add_settings, data_settings, dev_settings, train_settings
from training.data.collect import collect
from training.data.settings import DataSettings
from training.example import Example
from training.judgments.protection import Protection
from training.race.plot import plot
from training.race.race import race, winner_folder
from training.race.standings import RaceSettings
from training.race.table import table
from training.race.winner import keep_winner
from training.recipes.catalog import LOSS_RECIPES, find_loss_recipe
from training.source import SOURCE_USAGE
from training.train.inputs import dev_lists, protection_of
from training.train.request import DevSettings, Request
from training.train.workspace import keep_asked

BUDGET = re.compile(r"(\d+(?:\.\d+)?)(s|m|h)?")
UNITS = {"s": 1 / 60, "m": 1.0, None: 1.0, "h": 60.0}


def add(commands: Commands) -> None:
    """Add the command."""
    found = commands.add_parser("race", help="compare recipes under one budget, the better half going on each round")
    found.add_argument("--budget", type=_minutes, required=True, help="for training all of them: 30m, 2h")
    found.add_argument(
        "--recipes", nargs="+", choices=sorted(LOSS_RECIPES), default=list(LOSS_RECIPES), metavar="RECIPE"
    )
    found.add_argument("--seeds", type=int, nargs="+", default=[17])
    found.add_argument("--data", action="append", help=f"may be repeated: {SOURCE_USAGE} (hub)")
    found.add_argument("--output", type=Path, default=places.runs() / "race", help="folder of table, plot and weights")
    found.add_argument("--winner", type=Path, help="make a version of the winner there, such as data/models/winner/1")
    add_settings(found)
    found.set_defaults(run=_race)


def _minutes(text: str) -> float:
    match = BUDGET.fullmatch(text)
    if match is None or not float(match[1]):
        raise argparse.ArgumentTypeError(f"{text!r} is no time; give 30m, 90s or 2h")
    return float(match[1]) * UNITS[match[2]]


def _same_examples(recipe: str, data: DataSettings) -> tuple[str, ...]:
    """Equal for recipes that the same data give the same examples."""
    own = find_loss_recipe(recipe).own_examples or any(source.from_hub for source in data.sources)
    return (recipe,) if own else ("", find_loss_recipe(recipe).form.needs)


def _race(options: argparse.Namespace) -> int:
    dev = dev_settings(options)
    if dev is None:
        raise SettingsError("A race is decided on judged queries; give --dev INDEX.")
    for name in ("evaluate_every", "patience", "save_every"):
        if getattr(options, name):
            raise SettingsError(f"A race measures after each round; leave out --{name.replace('_', '-')}.")
    settings = RaceSettings(
        tuple(options.recipes), options.budget, train_settings(options, options.recipes[0]), tuple(options.seeds)
    )
    data, protect = data_settings(options), tuple(options.protect)
    request = Request(options.output, settings.train, data, dev, protect, options.root)
    if options.winner:
        check_new(options.winner)
    options.output.mkdir(parents=True, exist_ok=True)
    with atomic.hold(options.output, f"runs a race in {options.output}"):
        return _run(options, settings, request, dev)


def _run(options: argparse.Namespace, settings: RaceSettings, request: Request, dev: DevSettings) -> int:
    """The race itself, in a folder that nobody else works in."""
    data = request.data
    protection: Protection = protection_of(request)
    keep_asked(options.output, request.gathered_from)
    gathered: dict[tuple[str, ...], tuple[Example, ...]] = {}

    def gather(recipe: str, dropped: "Counter[str]") -> Iterable[Example]:
        key = _same_examples(recipe, data)
        if key not in gathered:
            print(f"gather for {recipe}", file=sys.stderr, flush=True)
            by = find_loss_recipe(recipe)
            own = replace(data, teacher="") if by.own_teacher else data
            found = collect(by, own, protection=protection, dropped=dropped, root=options.root)
            gathered[key] = tuple(found)
        return gathered[key]

    def report(number: int, recipe: str, ndcg: float | None) -> None:
        said = "trains" if ndcg is None else f"nDCG@10 {ndcg:.4f}"
        print(f"round {number}: {recipe} {said}", file=sys.stderr, flush=True)

    lists = dev_lists(dev, root=options.root)
    standings = race(options.output, settings, lists, gather, report=report)
    atomic.write_text(options.output / "race.md", table(standings))
    atomic.write_text(options.output / "race.svg", plot(standings))
    print(table(standings))
    print(f"Table and plot: {options.output}")
    best = next(item for item in standings if item.rounds)
    print(f"Weights of {best.recipe}: {winner_folder(options.output, best, settings.seeds[0])}")
    if options.winner:
        command = f"python -m training race --budget {options.budget:.3g}m"
        print(f"Re-ranker: {keep_winner(standings, settings, request, options.winner, command=command)}")
    return 0
