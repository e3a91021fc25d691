"""train: make a re-ranker by a recipe."""

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from indexing import places
from indexing.atomic import check_new
from indexing.catalogue import current_build
from indexing.cli.numbers import real, whole
from indexing.cli.options import check_at_least
from indexing.cli.shell import Commands, add_old_spelling
from indexing.errors import SettingsError
from indexing.names import NAME
from indexing.progress import Bars
from search.served import promoted_version
from training.cli.options import add_root
from training.data.questions import ColdStart
from training.data.settings import DataSettings
from training.recipes.catalog import find_recipe, recipe_names, staged_recipe
from training.recipes.plan_files import read_plan
from training.recipes.recipe import Recipe
from training.recipes.settings import PRECISIONS, TrainSettings
from training.recipes.stages import StagePlan
from training.source import SOURCE_USAGE, Source
from training.targets import TargetSettings
from training.teachers.names import TEACHER_USAGE
from training.train.request import DevSettings, LearningRequest, TrainRequest
from training.versions import card
from training.versions.manifest import VersionManifest

if TYPE_CHECKING:
    from training.fitting.callback import TrainingStep

NUMBERS = (
    ("--learning-rate", real(), "peak (the recipe's own)"),
    ("--epochs", real(), "times that each row is seen (1); with --minutes, at most so often"),
    ("--steps", whole(), "of the optimizer, in place of epochs"),
    ("--minutes", real(), "train as many steps as fit, measured at the start"),
    ("--batch", whole(), "rows a step (the recipe's own)"),
    ("--micro-batch", whole(), "rows in memory at once, gradients summed to a batch"),
    ("--max-length", whole(), "tokens of a pair (160)"),
    ("--warmup", real(), "share of the steps (0.1)"),
    ("--dropout", real(), "0 trains several times faster on a CPU (0)"),
    ("--save-every", whole(), "steps between checkpoints (100)"),
    ("--evaluate-every", whole(), "steps between evaluations on --dev, the best kept (0: none)"),
    ("--patience", whole(), "evaluations without a better one before it stops (0: never)"),
    ("--seed", whole(0, 2**32 - 1), "(17)"),
)
TARGET_PARTS = {
    "target-grade": f"logits of one step in grade ({TargetSettings.grade:g})",
    "target-teacher": f"share of the teacher's logit ({TargetSettings.teacher:g})",
    "target-temperature": f"what the target is divided by ({TargetSettings.temperature:g})",
}


def add(commands: Commands) -> None:
    """Add the command."""
    train = commands.add_parser("train", help="train a re-ranker by a recipe")
    train.add_argument(
        "--recipe",
        required=True,
        metavar="RECIPE",
        help=f"a JSON file with stages of your own, or one of {', '.join(recipe_names())}",
    )
    train.add_argument("--output", type=Path, help="folder to make (RECIPE/NUMBER in the folder of all models)")
    train.add_argument("--data", action="append", help=f"may be repeated: {SOURCE_USAGE} (hub)")
    train.add_argument(
        "--stages", type=whole(), metavar="N", help="of a recipe of several stages, only the first N (all)"
    )
    train.add_argument("--resume", action="store_true", help="resume a training that was stopped")
    train.add_argument(
        "--whole", action="store_true", help="--minutes count gathering, mining and measuring too, as on the Train page"
    )
    add_settings(train)
    train.set_defaults(run=_train)


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Options that `train` and `race` share."""
    parser.add_argument("--base", help="model to start from: a version, path or hub name (what is served)")
    parser.add_argument(
        "--index", metavar="NAME", default="", help="for texts by id, lambda-hard-neg's negatives and cold-start"
    )
    parser.add_argument("--limit", type=whole(), help="examples of each source")
    parser.add_argument(
        "--made-queries",
        type=whole(),
        help=f"queries that a recipe makes which reads no judgments ({ColdStart.queries})",
    )
    add_old_spelling(parser, "--queries", new="--made-queries", type=whole())
    parser.add_argument(
        "--teacher", default="", help=f"scores in place of the data's own, which given keeps: {TEACHER_USAGE}"
    )
    for name, about in TARGET_PARTS.items():
        parser.add_argument(f"--{name}", type=real(), help=f"{about}, for a recipe that mixes both")
    for name, kind, about in NUMBERS:
        parser.add_argument(name, type=kind, help=about)
    parser.add_argument("--precision", choices=PRECISIONS)
    parser.add_argument("--gradient-checkpointing", action="store_true", help="less memory, a third more time")
    parser.add_argument("--dev", metavar="INDEX[:SPLIT]", help="judged queries that are measured on (none)")
    parser.add_argument(
        "--dev-queries", type=whole(), metavar="N", help=f"at most so many of them ({DevSettings.queries})"
    )
    parser.add_argument(
        "--dev-depth", type=whole(), metavar="N", help=f"passages of each that are re-ranked ({DevSettings.depth})"
    )
    parser.add_argument(
        "--protect", type=Path, action="append", default=[], help="file of queries never to train on; may be repeated"
    )
    add_root(parser)


def train_settings(options: argparse.Namespace) -> TrainSettings:
    """The settings among the options; defaults for the rest. Without a base, what is served is improved."""
    names = ["base", "precision", *(name.removeprefix("--").replace("-", "_") for name, *_ in NUMBERS)]
    chosen = {name: getattr(options, name) for name in names if getattr(options, name) is not None}
    chosen.setdefault("base", promoted_version())
    return TrainSettings(gradient_checkpointing=options.gradient_checkpointing, **chosen)


def data_settings(options: argparse.Namespace) -> DataSettings:
    """The settings of the data among the options."""
    seed = TrainSettings.seed if options.seed is None else options.seed
    queries = ColdStart.queries if options.made_queries is None else options.made_queries
    data = DataSettings(
        sources=given_sources(options) or DataSettings.sources,
        index=options.index,
        limit=options.limit,
        teacher=options.teacher,
        cold=ColdStart(queries, seed=seed),
        target=target_settings(options),
    )
    return replace(data, mining=replace(data.mining, seed=seed))


def target_settings(options: argparse.Namespace) -> TargetSettings:
    """The weights of a mixed target among the options; defaults for the rest."""
    values = {name.removeprefix("target-"): getattr(options, name.replace("-", "_")) for name in TARGET_PARTS}
    return TargetSettings(**{name: value for name, value in values.items() if value is not None})


def given_sources(options: argparse.Namespace) -> tuple[Source, ...]:
    """The sources that --data names, in order. Raises SettingsError if one isn't a source."""
    return tuple(map(Source.parse, options.data or ()))


def dev_settings(options: argparse.Namespace) -> DevSettings | None:
    """The dev queries that --dev names; None without it. Raises SettingsError for numbers of them without it."""
    numbers = {name: getattr(options, f"dev_{name}") for name in ("queries", "depth")}
    given = {name: number for name, number in numbers.items() if number is not None}
    if not options.dev:
        if given:
            name = f"--dev-{next(iter(given))}"
            raise SettingsError(f"{name} is about judged queries that are measured on; give --dev INDEX too.")
        return None
    for name, number in given.items():
        check_at_least(f"--dev-{name}", number, least=1, what={"queries": "query", "depth": "passage"}[name])
    index, _, split = options.dev.partition(":")
    return DevSettings(index, split or DevSettings.split, **given)


def next_version(recipe: str, models: Path | None = None) -> Path:
    """The folder of a recipe's next version: the first number that isn't taken."""
    models, number = models or places.models(), 1
    while (models / recipe / str(number)).exists():
        number += 1
    return models / recipe / str(number)


class StepBar:
    """The bar of a training's steps, with the mean loss of the last 20."""

    def __init__(self, bars: Bars) -> None:
        self._bars = bars
        self._recent: list[float] = []

    def __call__(self, report: "TrainingStep") -> None:
        """Show this step."""
        self._recent = [*self._recent[-19:], report.loss or 0.0]
        note = f"loss {sum(self._recent) / len(self._recent):.3f}, {report.pairs_per_second:.0f} pairs/s"
        best = f", dev nDCG@10 {report.best_ndcg:.4f}" if report.best_ndcg is not None else ""
        self._bars.show("train", report.step, report.steps, unit="steps", note=note + best)


def _train(options: argparse.Namespace) -> int:
    request = train_request(options)
    check_sources(request)
    if not options.resume:
        check_new(request.output)
    from training.fitting import processes
    from training.train.train import train_version

    if request.settings.minutes is not None and processes.rank() == 0:
        print(_time_words(request.settings.minutes, whole=request.whole), file=sys.stderr)
    with Bars("queries") as bars:
        train_version(request, resume=options.resume, progress=bars, report=StepBar(bars), command=_command(options))
    if processes.rank() == 0:
        print(card.summary(VersionManifest.load(request.output)))
        print(f"Re-ranker: {request.output}")
    return 0


def _time_words(minutes: float, *, whole: bool) -> str:
    """What the minutes count, told before they begin."""
    about = f"About {minutes:g} minute{'' if minutes == 1 else 's'}"
    if whole:
        return f"{about} in all: gathering, mining, training and measuring are counted."
    return f"{about} of training; gathering, mining and measuring take theirs besides (--whole counts them too)."


def check_sources(request: LearningRequest) -> None:
    """Raise IndexingError or SettingsError for an index or a file that doesn't exist, before anything is loaded."""
    for name in request.data.indexes() + ([] if request.dev is None else [request.dev.index]):
        current_build(name, root=request.root)
    for source in request.data.sources:
        source.check_files()
    for path in request.protect:
        if not path.is_file():
            raise SettingsError(f"--protect {path}: there is no such file; give a file of queries.")


def chosen_recipe(text: str) -> Recipe:
    """The recipe of a name or a JSON file. Raises SettingsError for an unknown name or an unusable file."""
    path = Path(text)
    if path.suffix != ".json":
        return find_recipe(text)
    if not NAME.fullmatch(path.stem):
        raise SettingsError(f"{path} gives its recipe no name; call the file by letters, digits, '.', '_' or '-'.")
    return staged_recipe(path.stem, read_plan(path))


def train_request(options: argparse.Namespace) -> TrainRequest:
    """The training that the options request. Raises SettingsError if they contradict each other."""
    recipe = chosen_recipe(options.recipe)
    output = options.output or next_version(recipe.name)
    rest: dict[str, Any] = {"dev": dev_settings(options), "protect": tuple(options.protect), "root": options.root}
    if recipe.plan is not None:
        return TrainRequest(
            output=output, recipe=recipe.name, plan=_chosen_stages(options, recipe, recipe.plan), **rest
        )
    if options.stages is not None:
        raise SettingsError(f"Recipe {recipe.name} has one stage; leave out --stages.")
    if not recipe.mixes_grades and target_settings(options) != TargetSettings():
        raise SettingsError(f"Recipe {recipe.name} doesn't mix grades with scores; leave out --target-... options.")
    settings = train_settings(options)
    if settings.evaluate_every and rest["dev"] is None:
        raise SettingsError("--evaluate-every needs judged queries to measure on; give --dev INDEX.")
    if options.whole and settings.minutes is None:
        raise SettingsError("--whole says what --minutes count; give --minutes too, or leave --whole out.")
    if recipe.from_passages:
        _check_one_index(options)
    elif options.made_queries is not None:
        raise SettingsError(f"Recipe {recipe.name} makes no queries; leave out --made-queries.")
    rest["whole"] = options.whole
    return TrainRequest(output=output, recipe=recipe.name, settings=settings, data=data_settings(options), **rest)


def _check_one_index(options: argparse.Namespace) -> None:
    """Raise SettingsError if there are sources besides the one index whose passages give the queries."""
    sources = [*given_sources(options), *([Source("index", options.index)] if options.index else [])]
    index = next((source for source in reversed(sources) if source.form == "index"), None)
    if others := [source for source in sources if source != index]:
        raise SettingsError(f"{options.recipe} reads one index and nothing else; leave out --data {others[0]}.")


def _chosen_stages(options: argparse.Namespace, recipe: Recipe, plan: StagePlan) -> StagePlan:
    """The plan with the options' base and number of stages. Raises SettingsError for options that it would ignore."""
    own = ("data", "index", "limit", "made_queries", "teacher", "precision", "gradient_checkpointing", "whole")
    for name in (*own, *(name.removeprefix("--").replace("-", "_") for name, *_ in NUMBERS)):
        value = getattr(options, name)
        if not (value is None or value is False or value == ""):
            raise SettingsError(
                f"Recipe {recipe.name} has its own data and settings; leave out --{name.replace('_', '-')}, or "
                "choose another recipe."
            )
    most = len(plan.stages)
    stages = most if options.stages is None else options.stages
    if not 1 <= stages <= most:
        raise SettingsError(f"--stages is {stages}, recipe {recipe.name} has {most}; give 1 to {most}.")
    return replace(plan, base=options.base or plan.base, stages=plan.stages[:stages])


def _command(options: argparse.Namespace) -> str:
    """The command shown on a model card; paths are left out."""
    public = [source for source in given_sources(options) if source.from_hub or source.form == "index"]
    data = "".join(f" --data {source.without_folders()}" for source in public)
    stages = "" if options.stages is None else f" --stages {options.stages}"
    return f"python -m training train --recipe {Path(options.recipe).name}{stages}{data}"
