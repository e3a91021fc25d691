"""Recipes raced under one budget: every one trains a little, the better half goes on, until the last two.

Successive halving (Jamieson and Talwalkar 2016): each round has the same share of the budget, so that those that stay
get more of it each. A round goes on from the weights of the one before, with a schedule of its own. Dev queries
decide; what is raced on is the same data, base and seeds for all. A race that was stopped goes on where it was.
"""

import hashlib
import math
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import fmean

from indexing import atomic
from indexing.errors import SettingsError, TrainingError
from training.evaluation.candidates import Candidates
from training.evaluation.significance import bootstrap_interval
from training.example import Example
from training.fitting.callback import TrainingStep
from training.fitting.dev_set import ndcg_by_query
from training.fitting.fit import ROWS, fit
from training.fitting.model import PairModel, open_pair_model
from training.fitting.plan import steps_within
from training.race.settings import RaceSettings
from training.race.standings import BASE, Standing, _best, _read, _write
from training.recipes.catalog import find_loss_recipe
from training.recipes.recipe import Recipe
from training.recipes.row_files import read_rows, write_rows

LAST = 2  # recipes in the last round
LEAST = 20  # steps of a recipe in the first round; fewer say nothing of it
Gather = Callable[[str, "Counter[str]"], Iterable[Example]]
"""Gives the examples of a recipe and counts those left out."""
Report = Callable[[int, str, float | None], None]
"""Called with the round, the recipe, and its nDCG@10 once it is measured."""


def rounds_of(recipes: int) -> list[int]:
    """How many recipes train in each round: all, then half of them, down to LAST."""
    field_ = [recipes]
    while field_[-1] > LAST:
        field_.append(max(LAST, math.ceil(field_[-1] / 2)))
    return field_


def race(folder: Path, settings: RaceSettings, dev: Candidates, gather: Gather, *, report: Report) -> list[Standing]:
    """Run the race in `folder`; standings, best first: those that got further before those that dropped out.

    Raises:
        TrainingError: no recipe can learn from the data, or the budget is too small for the first round.
    """
    standings = _read(folder, settings)
    if BASE not in standings:
        standings[BASE] = _untrained(settings, dev)
        _write(folder, settings, standings)
    _rows(folder, settings, gather, standings)
    running = [name for name in settings.recipes if standings[name].learns and not standings[name].same_as]
    if not running:
        raise TrainingError(f"No recipe can learn from these data: {standings[settings.recipes[0]].fault}")
    fields = rounds_of(len(running))
    if not any(standings[name].rounds for name in running):
        _refuse_short(folder, settings, running, minutes=settings.minutes / len(fields) / len(running))
    for number, size in enumerate(fields, start=1):
        running = _best(running, standings, after=number - 1)[:size]
        for name in running:
            if standings[name].rounds < number and not standings[name].fault:
                report(number, name, None)
                each = settings.minutes / len(fields) / len(running) / len(settings.seeds)
                try:
                    _train(folder, settings, standings[name], dev, number=number, minutes=each)
                except TrainingError as error:  # such as that it diverged: the others go on
                    standings[name].fault = str(error)
                _write(folder, settings, standings)
                if not standings[name].fault:
                    _forget(folder, name, settings, number - 1)
                    report(number, name, standings[name].ndcg)
    if not any(standing.rounds for standing in standings.values()):
        raise TrainingError(f"No recipe got through its first round: {standings[running[0]].fault}")
    for standing in standings.values():
        if standing.same_as:
            twin = standings[standing.same_as]
            standings[standing.recipe] = replace(twin, recipe=standing.recipe, same_as=twin.recipe)
    return sorted(standings.values(), key=lambda one: (-one.rounds if one.recipe != BASE else 1, -one.ndcg))


def winner_folder(folder: Path, standing: Standing, seed: int) -> Path:
    """Where the weights of a recipe's last round lie."""
    return _model(folder, standing.same_as or standing.recipe, seed, standing.rounds)


def _model(folder: Path, recipe: str, seed: int, number: int) -> Path:
    """A round never writes where it started from, so that one that was stopped can be done again."""
    return folder / recipe / str(seed) / f"model-{number}"


def _forget(folder: Path, recipe: str, settings: RaceSettings, number: int) -> None:
    for seed in settings.seeds:
        shutil.rmtree(_model(folder, recipe, seed, number), ignore_errors=True)


def _untrained(settings: RaceSettings, dev: Candidates) -> Standing:
    train = settings.train
    model = open_pair_model(train.base, max_length=train.max_length, dropout=train.dropout, seed=settings.seeds[0])
    standing = Standing(BASE)
    _measure(standing, [model], dev)
    return standing


def _rows(folder: Path, settings: RaceSettings, gather: Gather, standings: dict[str, Standing]) -> None:
    """Rows of every recipe; of those with the same loss on the same examples one is trained."""
    seen = {one.learns: name for name, one in standings.items() if one.learns and not one.same_as}
    for name in settings.recipes:
        if name in standings:
            continue
        standings[name] = Standing(name)
        recipe = find_loss_recipe(name)
        dropped: Counter[str] = Counter()
        try:
            examples = list(gather(name, dropped))
            key = _fingerprint(recipe, examples)
            if seen.setdefault(key, name) != name:
                standings[name].same_as = seen[key]
            else:
                shutil.rmtree(folder / name / ROWS, ignore_errors=True)
                write_rows(folder / name / ROWS, examples, recipe.form, seed=settings.seeds[0], dropped=dropped)
            standings[name].learns = key
        except (SettingsError, TrainingError) as error:  # such as no index for a recipe that wants one
            standings[name].fault = str(error)
        _write(folder, settings, standings)


def _refuse_short(folder: Path, settings: RaceSettings, running: Sequence[str], *, minutes: float) -> None:
    """Time the recipe with the most pairs a step, before anything is trained; each has so many minutes at first."""
    rows = {name: read_rows(folder / name / ROWS) for name in running}
    trains = {name: settings.train.by(name) for name in running}
    pairs = {name: trains[name].rows_a_step * counts.pairs / counts.rows for name, (_, counts) in rows.items()}
    dearest = max(running, key=lambda name: pairs[name])
    a_seed = minutes / len(settings.seeds)
    steps = steps_within(a_seed, trains[dearest], rows[dearest][0])
    if steps < LEAST:
        needed = math.ceil(settings.minutes * LEAST / max(steps, 1))
        raise TrainingError(
            f"A budget of {settings.minutes:g} minutes gives {dearest} {steps} steps in the first round, and fewer "
            f"than {LEAST} say nothing; give --budget {needed}m, a smaller --batch, or fewer --recipes."
        )


def _fingerprint(recipe: Recipe, examples: Iterable[Example]) -> str:
    """Equal for recipes of one loss and the same examples."""
    digest = hashlib.sha256(f"{recipe.loss} {recipe.form_name}".encode())
    for example in examples:
        digest.update(repr(example).encode())
    return digest.hexdigest()


def _train(
    folder: Path, settings: RaceSettings, standing: Standing, dev: Candidates, *, number: int, minutes: float
) -> None:
    """One recipe's training of one round, with every seed."""
    models: list[PairModel] = []
    spent_minutes, seen_pairs = 0.0, 0
    for seed in settings.seeds:
        own = folder / standing.recipe / str(seed)
        work = own / "round"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        (work / ROWS).symlink_to((folder / standing.recipe / ROWS).resolve())
        base = settings.train.base if number == 1 else str(_model(folder, standing.recipe, seed, number - 1))
        train = replace(settings.train, base=base, minutes=minutes, save_every=0, seed=seed + number - 1)
        times: list[float] = []
        fitted = fit(work, train.by(standing.recipe), report=partial(_note_time, times))
        spent_minutes += (times[-1] - times[0]) / 60
        seen_pairs += round(fitted.pairs * (1 - 1 / fitted.steps))  # the first step's time is not known
        models.append(fitted.model)
        made = _model(folder, standing.recipe, seed, number)
        shutil.rmtree(made, ignore_errors=True)
        with atomic.folder(made) as target:
            fitted.model.save_pretrained(str(target), create_model_card=False)
        shutil.rmtree(work)
    _measure(standing, models, dev)
    standing.rounds = number
    standing.after.append(standing.ndcg)
    standing.minutes += spent_minutes / len(settings.seeds)
    standing.pairs += seen_pairs // len(settings.seeds)


def _note_time(times: list[float], _: TrainingStep) -> None:
    times.append(time.monotonic())


def _measure(standing: Standing, models: Sequence[PairModel], dev: Candidates) -> None:
    every = [ndcg_by_query(model, dev) for model in models]
    standing.by_query = {query: fmean(values[query] for values in every) for query in every[0]}
    standing.by_seed = [fmean(values.values()) for values in every]
    values = list(standing.by_query.values())
    standing.ndcg = fmean(values)
    standing.low, standing.high = bootstrap_interval(values)
