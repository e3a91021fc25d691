"""train: make a re-ranker by a recipe."""

import argparse
from dataclasses import replace
from pathlib import Path

from indexing import places
from indexing.errors import SettingsError
from indexing.progress import Bars
from training.cli.options import Commands, add_root
from training.data.questions import ColdStart
from training.data.settings import DataSettings
from training.fitting import processes
from training.fitting.callback import TrainingStep
from training.recipes.catalog import find_recipe, recipe_names
from training.recipes.settings import PRECISIONS, TrainSettings
from training.recipes.stages import StagePlan
from training.source import SOURCE_USAGE, Source
from training.teachers.teacher import FORMS
from training.train.request import DevSettings, Request
from training.train.stages import make_in_stages
from training.train.train import make
from training.versions import card
from training.versions.manifest import VersionManifest

NUMBERS = (
    ("--learning-rate", float, "peak (the recipe's own)"),
    ("--epochs", float, "passes over the rows (1)"),
    ("--steps", int, "of the optimiser, in place of epochs"),
    ("--minutes", float, "train as many steps as fit, measured at the start"),
    ("--batch", int, "rows a step (the recipe's own)"),
    ("--micro-batch", int, "rows in memory at once, gradients summed to a batch"),
    ("--max-length", int, "tokens of a pair (160)"),
    ("--warmup", float, "share of the steps (0.1)"),
    ("--dropout", float, "0 trains several times faster on a CPU (0)"),
    ("--save-every", int, "steps between checkpoints (100)"),
    ("--evaluate-every", int, "steps between evaluations on --dev, the best kept (0: none)"),
    ("--patience", int, "evaluations without a better one before it stops (0: never)"),
    ("--seed", int, "(17)"),
)


def add(commands: Commands) -> None:
    """Add the command."""
    train = commands.add_parser("train", help="train a re-ranker by a recipe")
    train.add_argument("--recipe", choices=sorted(recipe_names()), required=True)
    train.add_argument("--output", type=Path, help="folder to make (RECIPE/NUMBER in the folder of all models)")
    train.add_argument("--data", action="append", help=f"may be repeated: {SOURCE_USAGE} (hub)")
    train.add_argument("--stages", type=int, metavar="N", help="of a recipe of several stages, only the first N (all)")
    train.add_argument("--resume", action="store_true", help="go on with a training that was stopped")
    add_settings(train)
    train.set_defaults(run=_train)


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Options that `train` and `race` share."""
    parser.add_argument("--base", help="model to start from (all-MiniLM-L6-v2)")
    parser.add_argument("--index", default="", help="for texts by id, lambda-hard-neg's negatives and cold-start")
    parser.add_argument("--limit", type=int, help="examples of each source")
    parser.add_argument("--queries", type=int, help="queries that a recipe makes which reads no judgments (3000)")
    parser.add_argument("--teacher", default="", help=f"scores in place of the data's own, which given keeps: {FORMS}")
    for name, kind, about in NUMBERS:
        parser.add_argument(name, type=kind, help=about)
    parser.add_argument("--precision", choices=PRECISIONS)
    parser.add_argument("--gradient-checkpointing", action="store_true", help="less memory, a third more time")
    parser.add_argument("--dev", metavar="INDEX[:SPLIT]", help="judged queries that are measured on (none)")
    parser.add_argument("--dev-queries", type=int, default=DevSettings.queries)
    parser.add_argument("--dev-depth", type=int, default=DevSettings.depth)
    parser.add_argument(
        "--protect", type=Path, action="append", default=[], help="file of queries never to train on; may be repeated"
    )
    add_root(parser)


def train_settings(options: argparse.Namespace, recipe: str) -> TrainSettings:
    """The settings that were given, the rest as they are by default."""
    names = ["base", "precision", *(name.removeprefix("--").replace("-", "_") for name, *_ in NUMBERS)]
    given = {name: getattr(options, name) for name in names if getattr(options, name) is not None}
    return TrainSettings(recipe, gradient_checkpointing=options.gradient_checkpointing, **given)


def data_settings(options: argparse.Namespace) -> DataSettings:
    """Where examples come from."""
    seed = TrainSettings.seed if options.seed is None else options.seed
    queries = ColdStart.queries if options.queries is None else options.queries
    found = DataSettings(
        sources=given_sources(options) or DataSettings.sources,
        index=options.index,
        limit=options.limit,
        teacher=options.teacher,
        cold=ColdStart(queries, seed=seed),
    )
    return replace(found, mining=replace(found.mining, seed=seed))


def given_sources(options: argparse.Namespace) -> tuple[Source, ...]:
    """What --data names, in its order. Raises SettingsError for what is no source."""
    return tuple(map(Source.parse, options.data or ()))


def dev_settings(options: argparse.Namespace) -> DevSettings | None:
    """What is measured on; None where nothing was named."""
    if not options.dev:
        return None
    index, _, split = options.dev.partition(":")
    return DevSettings(index, split or DevSettings.split, options.dev_queries, options.dev_depth)


def next_version(recipe: str, models: Path | None = None) -> Path:
    """The first number that no version of this name has."""
    models, number = models or places.models(), 1
    while (models / recipe / str(number)).exists():
        number += 1
    return models / recipe / str(number)


class StepBar:
    """The bar of a training's steps, with the mean loss of the last 20."""

    def __init__(self, bars: Bars) -> None:
        self._bars = bars
        self._recent: list[float] = []

    def __call__(self, at: TrainingStep) -> None:
        """Show this step."""
        self._recent = [*self._recent[-19:], at.loss or 0.0]
        note = f"loss {sum(self._recent) / len(self._recent):.3f}, {at.pairs_per_second:.0f} pairs/s"
        best = f", dev nDCG@10 {at.best_ndcg:.4f}" if at.best_ndcg is not None else ""
        self._bars.show("train", at.step, at.steps, unit="steps", note=note + best)


def _train(options: argparse.Namespace) -> int:
    output = options.output or next_version(options.recipe)
    recipe = find_recipe(options.recipe)
    if recipe.plan is not None:
        return _train_in_stages(options, output, recipe.plan)
    if options.stages is not None:
        raise SettingsError(f"Recipe {options.recipe} has one stage; leave out --stages.")
    settings = train_settings(options, options.recipe)
    dev = dev_settings(options)
    if settings.evaluate_every and dev is None:
        raise SettingsError("--evaluate-every needs judged queries to measure on; give --dev INDEX.")
    if recipe.from_passages:
        _check_one_index(options)
    request = Request(output, settings, data_settings(options), dev, tuple(options.protect), options.root)
    with Bars("queries") as bars:
        make(request, resume=options.resume, progress=bars, report=StepBar(bars), command=_command(options))
    if processes.rank() == 0:
        _tell(output)
    return 0


def _check_one_index(options: argparse.Namespace) -> None:
    """Raise SettingsError where there is more to read than the one index of a cold start."""
    given = [*given_sources(options), *([Source("index", options.index)] if options.index else [])]
    index = next((source for source in reversed(given) if source.form == "index"), None)
    if others := [source for source in given if source != index]:
        raise SettingsError(f"{options.recipe} reads one index and nothing else; leave out --data {others[0]}.")


def _train_in_stages(options: argparse.Namespace, output: Path, plan: StagePlan) -> int:
    if processes.processes() > 1:
        raise SettingsError(
            f"Recipe {options.recipe} of several stages trains in one process; start it without torchrun."
        )
    recipe = _asked_stages(options, plan)
    with Bars("queries") as bars:
        make_in_stages(
            options.recipe,
            recipe,
            output,
            protect=options.protect,
            root=options.root,
            resume=options.resume,
            progress=bars,
            report=StepBar(bars),
            command=_command(options),
        )
    _tell(output)
    return 0


def _tell(output: Path) -> None:
    print(card.summary(VersionManifest.load(output)))
    print(f"Re-ranker: {output}")


def _asked_stages(options: argparse.Namespace, recipe: StagePlan) -> StagePlan:
    """A recipe of stages with the base and as many stages as asked. Raises SettingsError for what it has of its own."""
    own = ("data", "index", "limit", "queries", "teacher", "precision", "gradient_checkpointing", "dev")
    for name in (*own, *(name.removeprefix("--").replace("-", "_") for name, *_ in NUMBERS)):
        value = getattr(options, name)
        if not (value is None or value is False or value == ""):
            raise SettingsError(
                f"Recipe {options.recipe} has its own data and settings; leave out --{name.replace('_', '-')}, or "
                "choose another recipe."
            )
    most = len(recipe.stages)
    stages = most if options.stages is None else options.stages
    if not 1 <= stages <= most:
        raise SettingsError(f"--stages is {stages}, recipe {options.recipe} has {most}; give 1 to {most}.")
    return replace(recipe, base=options.base or recipe.base, stages=recipe.stages[:stages])


def _command(options: argparse.Namespace) -> str:
    """What a model card says that made it; paths are left out."""
    public = [source for source in given_sources(options) if source.from_hub or source.form == "index"]
    data = "".join(f" --data {source.without_folders()}" for source in public)
    stages = "" if options.stages is None else f" --stages {options.stages}"
    return f"python -m training train --recipe {options.recipe}{stages}{data}"
