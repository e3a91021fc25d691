"""The passes of a training: one for most recipes, two if the model teaches itself, one per stage of a plan."""

from dataclasses import dataclass, replace
from pathlib import Path

from training.mining.groups import GroupSettings
from training.recipes.catalog import STAGE_LOSS
from training.recipes.settings import FitSettings, TrainSettings
from training.recipes.stages import Stage, StagePlan
from training.train.request import TrainRequest, model_path

SELF_TAUGHT, FIRST = "self-taught", "first"
MODEL = "model"


@dataclass(frozen=True, kw_only=True)
class TrainingPass:
    """One pass over its own rows, starting from the weights of the pass before it."""

    name: str
    """The manifest lists its examples and losses under this name."""
    folder: Path
    """The folder for its rows and checkpoints."""
    settings: FitSettings
    """Their `base` is the model to start from; for all passes but the first, a folder that the one before writes."""
    stage: Stage | None = None
    """The stage whose ingredients its rows are made of; None if they are made of the request's data."""
    mining: GroupSettings | None = None
    """How passages are chosen for the groups of a stage."""
    self_taught: bool = False
    """Whether its rows are those of the pass before, with targets mixed half and half with its model's scores."""


def passes_of(request: TrainRequest) -> list[TrainingPass]:
    """The passes of a training, in order."""
    if request.plan is not None:
        return _stages(request.work, request.plan)
    recipe = request.resolved_recipe
    settings = replace(request.settings, base=model_path(request.settings.base))
    first = TrainingPass(
        name=recipe.name, folder=request.work, settings=shared(settings, recipe.passes).by(recipe.name)
    )
    if not recipe.teaches_itself:
        return [first]
    folder = request.work / SELF_TAUGHT
    second_settings = replace(first.settings, base=str(folder / FIRST), seed=settings.seed + 1)
    return [first, replace(first, folder=folder, settings=second_settings, self_taught=True)]


def shared(settings: TrainSettings, passes: int) -> TrainSettings:
    """The settings of one of several passes, which share steps and minutes equally."""
    steps = None if settings.steps is None else max(1, settings.steps // passes)
    return replace(settings, steps=steps, minutes=settings.minutes and settings.minutes / passes)


def _stages(work: Path, plan: StagePlan) -> list[TrainingPass]:
    passes, base = [], model_path(plan.base)
    for number, stage in enumerate(plan.stages, start=1):
        settings = FitSettings(
            recipe=STAGE_LOSS.name,
            base=base,
            learning_rate=stage.learning_rate,
            batch=plan.groups_per_step,
            max_length=plan.max_length,
            dropout=plan.dropout,
            seed=plan.seed,
        )
        folder = work / f"stage-{number}"
        mining = plan.mining if stage.seed is None else replace(plan.mining, seed=stage.seed)
        passes.append(TrainingPass(name=stage.name, folder=folder, settings=settings, stage=stage, mining=mining))
        base = str(folder / MODEL)
    return passes
