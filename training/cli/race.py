"""race: compare recipes under one budget."""

import argparse
import re
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from indexing import atomic, places
from indexing.atomic import check_new
from indexing.cli.numbers import whole
from indexing.cli.shell import Commands
from indexing.errors import SettingsError
from training.cli.train import add_settings, check_sources, data_settings, dev_settings, train_settings
from training.data.settings import DataSettings
from training.example import Example
from training.recipes.catalog import LOSS_RECIPES, find_loss_recipe
from training.recipes.recipe import Recipe
from training.source import SOURCE_USAGE

if TYPE_CHECKING:
    from training.data.open_indexes import OpenIndexes
    from training.race.race import Gather
    from training.race.settings import RaceRequest
    from training.race.standings import Standing

BUDGET = re.compile(r"(\d+(?:\.\d+)?)(s|m|h)?")
UNITS = {"s": 1 / 60, "m": 1.0, None: 1.0, "h": 60.0}


def add(commands: Commands) -> None:
    """Add the command."""
    command = commands.add_parser("race", help="compare recipes under one budget, the better half going on each round")
    command.add_argument("--budget", type=_minutes, required=True, help="for training all of them: 30m, 2h")
    command.add_argument(
        "--recipes", nargs="+", choices=sorted(LOSS_RECIPES), default=list(LOSS_RECIPES), metavar="RECIPE"
    )
    command.add_argument("--seeds", type=whole(0, 2**32 - 1), nargs="+", default=[17])
    command.add_argument("--data", action="append", help=f"may be repeated: {SOURCE_USAGE} (hub)")
    command.add_argument(
        "--output", type=Path, default=places.runs() / "race", help="folder of table, plot and weights"
    )
    command.add_argument("--winner", type=Path, help="make a version of the winner there, such as data/models/winner/1")
    add_settings(command)
    command.set_defaults(run=_race)


def _minutes(text: str) -> float:
    match = BUDGET.fullmatch(text)
    if match is None or not float(match[1]):
        raise argparse.ArgumentTypeError(f"{text!r} is no time; give 30m, 90s or 2h")
    return float(match[1]) * UNITS[match[2]]


def _same_examples(recipe: Recipe, data: DataSettings) -> tuple[str, ...]:
    """A key that is equal for recipes that make the same examples from the same data."""
    own = recipe.own_examples or any(source.from_hub for source in data.sources)
    return (recipe.name,) if own else ("", recipe.form.needs)


def race_request(options: argparse.Namespace) -> "RaceRequest":
    """The race that the options request. Raises SettingsError if they contradict each other."""
    from training.race.settings import RaceRequest, RaceSettings

    dev = dev_settings(options)
    if dev is None:
        raise SettingsError("A race is decided on judged queries; give --dev INDEX.")
    for name in ("evaluate_every", "patience", "save_every"):
        if getattr(options, name):
            raise SettingsError(f"A race measures after each round; leave out --{name.replace('_', '-')}.")
    settings = RaceSettings(
        recipes=tuple(options.recipes),
        minutes=options.budget,
        train=train_settings(options),
        seeds=tuple(options.seeds),
    )
    return RaceRequest(
        folder=options.output,
        settings=settings,
        data=data_settings(options),
        dev=dev,
        protect=tuple(options.protect),
        root=options.root,
    )


def _race(options: argparse.Namespace) -> int:
    request = race_request(options)
    check_sources(request)
    if options.winner:
        check_new(options.winner)
    request.folder.mkdir(parents=True, exist_ok=True)
    with atomic.hold(request.folder, f"runs a race in {request.folder}"):
        standings = _run(request)
    from training.race.race import winner_folder
    from training.race.winner import keep_winner

    best = next(standing for standing in standings if standing.rounds)
    print(f"Weights of {best.recipe}: {winner_folder(request.folder, best, request.settings.seeds[0])}")
    if options.winner:
        command = f"python -m training race --budget {options.budget:.3g}m"
        print(f"Re-ranker: {keep_winner(standings, request, options.winner, command=command)}")
    return 0


def _run(request: "RaceRequest") -> "list[Standing]":
    """Run the race in its folder, which is locked."""
    from training.data.open_indexes import OpenIndexes
    from training.race.plot import plot
    from training.race.race import race
    from training.race.table import race_table
    from training.train.inputs import dev_lists
    from training.train.workspace import check_origin

    check_origin(request.folder, request.gathered_from())
    indexes = OpenIndexes(request.root)
    lists = None if request.dev is None else dev_lists(request.dev, indexes)
    if lists is None:
        raise SettingsError("A race is decided on judged queries; give --dev INDEX.")
    standings = race(request.folder, request.settings, lists, _gatherer(request, indexes), report=_report)
    atomic.write_text(request.folder / "race.md", race_table(standings))
    atomic.write_text(request.folder / "race.svg", plot(standings))
    print(race_table(standings))
    print(f"Table and plot: {request.folder}")
    return standings


def _gatherer(request: "RaceRequest", indexes: "OpenIndexes") -> "Gather":
    """A function that gathers a recipe's examples, only once for recipes that learn from the same ones."""
    from training.data.collect import collect
    from training.train.inputs import protection_of

    protection = protection_of(request)
    gathered: dict[tuple[str, ...], tuple[Example, ...]] = {}

    def gather(name: str, dropped: "Counter[str]") -> Iterable[Example]:
        recipe = find_loss_recipe(name)
        key = _same_examples(recipe, request.data)
        if key not in gathered:
            print(f"gather for {name}", file=sys.stderr, flush=True)
            data = replace(request.data, teacher="") if recipe.own_teacher else request.data
            examples = collect(recipe, data, protection=protection, dropped=dropped, indexes=indexes)
            gathered[key] = tuple(examples)
        return gathered[key]

    return gather


def _report(number: int, recipe: str, ndcg: float | None) -> None:
    event = "trains" if ndcg is None else f"nDCG@10 {ndcg:.4f}"
    print(f"round {number}: {recipe} {event}", file=sys.stderr, flush=True)
