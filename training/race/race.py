"""Races recipes under one budget: all train a little, then the better half trains on, until two are left.

This is successive halving (Jamieson and Talwalkar 2016): every round has the same share of the budget, so the recipes
that remain get more of it each. A round continues from the weights of the one before, with its own schedule. Results
on dev queries decide; data, base and seeds are the same for all. A stopped race resumes where it left off.
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
LEAST = 20  # steps of a recipe in the first round; with fewer, its result means nothing
Gather = Callable[[str, "Counter[str]"], Iterable[Example]]
"""Returns a recipe's examples, and counts those left out."""
ReportRound = Callable[[int, str, float | None], None]
"""Called with the round, the recipe, and its nDCG@10 once it is measured."""


def rounds_of(recipes: int) -> list[int]:
    """How many recipes train in each round: all, then half of them, down to LAST."""
    sizes = [recipes]
    while sizes[-1] > LAST:
        sizes.append(max(LAST, math.ceil(sizes[-1] / 2)))
    return sizes


def race(
    folder: Path, settings: RaceSettings, dev: Candidates, gather: Gather, *, report: ReportRound
) -> list[Standing]:
    """Run the race in `folder`; returns the standings, best first: by rounds completed, then by nDCG@10.

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
    sizes = rounds_of(len(running))
    if not any(standings[name].rounds for name in running):
        _refuse_short(folder, settings, running, minutes=settings.minutes / len(sizes) / len(running))
    for number, size in enumerate(sizes, start=1):
        running = _best(running, standings, after=number - 1)[:size]
        for name in running:
            if standings[name].rounds < number and not standings[name].fault:
                report(number, name, None)
                each = settings.minutes / len(sizes) / len(running) / len(settings.seeds)
                try:
                    _train(folder, settings, standings[name], dev, number=number, minutes=each)
                except TrainingError as error:  # for instance, it diverged; the others continue
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
    return sorted(standings.values(), key=lambda row: (-row.rounds if row.recipe != BASE else 1, -row.ndcg))


def winner_folder(folder: Path, standing: Standing, seed: int) -> Path:
    """The folder with the weights of a recipe's last round."""
    return _model(folder, standing.same_as or standing.recipe, seed, standing.rounds)


def _model(folder: Path, recipe: str, seed: int, number: int) -> Path:
    """The folder for a round's weights; each round has its own, so that a stopped round can be repeated."""
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
    """Write every recipe's rows; of recipes with the same loss and examples, only the first is trained."""
    seen = {row.learns: name for name, row in standings.items() if row.learns and not row.same_as}
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
        except (SettingsError, TrainingError) as error:  # for instance, a recipe that needs an index has none
            standings[name].fault = str(error)
        _write(folder, settings, standings)


def _refuse_short(folder: Path, settings: RaceSettings, running: Sequence[str], *, minutes: float) -> None:
    """Raise TrainingError if `minutes`, a recipe's share of the first round, is too short for the slowest recipe.

    The recipe with the most pairs per step is timed, before anything is trained.
    """
    rows = {name: read_rows(folder / name / ROWS) for name in running}
    trains = {name: settings.train.by(name) for name in running}
    pairs = {name: trains[name].rows_a_step * counts.pairs / counts.rows for name, (_, counts) in rows.items()}
    slowest = max(running, key=lambda name: pairs[name])
    a_seed = minutes / len(settings.seeds)
    steps = steps_within(a_seed, trains[slowest], rows[slowest][0])
    if steps < LEAST:
        needed = math.ceil(settings.minutes * LEAST / max(steps, 1))
        raise TrainingError(
            f"A budget of {settings.minutes:g} minutes gives {slowest} {steps} steps in the first round, and fewer "
            f"than {LEAST} say nothing; give --budget {needed}m, a smaller --batch, or fewer --recipes."
        )


def _fingerprint(recipe: Recipe, examples: Iterable[Example]) -> str:
    """A key that is equal for recipes with the same loss, form of rows and examples."""
    digest = hashlib.sha256(f"{recipe.loss} {recipe.form_name}".encode())
    for example in examples:
        digest.update(repr(example).encode())
    return digest.hexdigest()


def _train(
    folder: Path, settings: RaceSettings, standing: Standing, dev: Candidates, *, number: int, minutes: float
) -> None:
    """Train one recipe for one round with every seed, and measure it."""
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
        seen_pairs += round(fitted.pairs * (1 - 1 / fitted.steps))  # the first step isn't timed
        models.append(fitted.model)
        weights = _model(folder, standing.recipe, seed, number)
        shutil.rmtree(weights, ignore_errors=True)
        with atomic.folder(weights) as target:
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
    results = [ndcg_by_query(model, dev) for model in models]
    standing.by_query = {query: fmean(values[query] for values in results) for query in results[0]}
    standing.by_seed = [fmean(values.values()) for values in results]
    values = list(standing.by_query.values())
    standing.ndcg = fmean(values)
    standing.low, standing.high = bootstrap_interval(values)
