"""One training, from a request to a version on disk."""

import shutil
from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from indexing import atomic, provenance
from indexing.progress import Progress, silent
from training.evaluation.candidates import Candidates
from training.evaluation.measures import MAIN_MEASURE
from training.fitting import processes
from training.fitting.callback import ReportStep
from training.fitting.dev_set import mean_ndcg
from training.fitting.fit import ROWS, fit
from training.fitting.model import PairModel, save_weights
from training.recipes.row_files import RowCounts
from training.train.inputs import dev_lists, gather_rows
from training.train.request import DevSettings, Request
from training.train.second_pass import SECOND_PASS, _again, _second_settings, first_settings
from training.train.workspace import Spent, hold, keep_asked
from training.versions import recording
from training.versions.manifest import VersionManifest


def last_loss(losses: Mapping[int, float]) -> float:
    """The mean loss of the last tenth of the steps; 0 where there are none."""
    last = [losses[step] for step in sorted(losses)][-max(1, len(losses) // 10) :]
    return sum(last) / len(last) if last else 0.0


def make(
    request: Request,
    *,
    resume: bool = False,
    progress: Progress = silent,
    report: ReportStep = lambda _: None,
    command: str,
) -> Path:
    """Gather, train, and put the version at its place; gives that back.

    Raises:
        TrainingError: as `hold` says, or there are no data.
        SecondLookError: as data, base model and dev set say.
    """
    if processes.rank():
        return _compute(request, resume=resume)
    with hold(request.output, resume=resume):
        return _make(request, resume=resume, progress=progress, report=report, command=command)


def _make(request: Request, *, resume: bool, progress: Progress, report: ReportStep, command: str) -> Path:
    keep_asked(request.work, request.gathered_from)
    spent = Spent(request.work)
    progress, report = spent.beside(progress), spent.beside(report)
    revision = provenance.code_revision()
    dev = dev_lists(request.dev, root=request.root, progress=progress) if request.dev else None
    gather_rows(request, progress=progress)
    measure = None if dev is None else partial(_measure, dev)
    fitted = fit(request.work, first_settings(request.settings), resume=resume, measure=measure, report=report)
    if request.settings.loss_recipe.teaches_itself:
        fitted = _again(request, fitted, measure=measure, progress=progress, report=report, resume=resume)
    metrics = {}
    if dev is not None and request.dev is not None:
        ndcg = mean_ndcg(fitted.model, dev) if fitted.best_ndcg is None else fitted.best_ndcg
        metrics = measured_on(request.dev, ndcg)
    values = manifest_of(
        request,
        fitted.counts,
        pairs=fitted.pairs,
        losses={request.settings.recipe: last_loss(fitted.losses)},
        minutes=spent.minutes,
        revision=revision,
        metrics=metrics,
    )
    with atomic.folder(request.output) as folder:
        save_weights(fitted.model, folder)
        recording.write(folder, values, command=command)
    shutil.rmtree(request.work)
    return request.output


def _compute(request: Request, *, resume: bool) -> Path:
    """What every process but the first does: the same steps, on its own part of each batch."""
    processes.wait_for(request.work / ROWS)
    dev = dev_lists(request.dev, root=request.root) if request.dev else None
    measure = None if dev is None else partial(_measure, dev)
    fit(request.work, first_settings(request.settings), resume=resume, measure=measure)
    if request.settings.loss_recipe.teaches_itself:
        second = request.work / SECOND_PASS
        processes.wait_for(second / ROWS)
        fit(second, _second_settings(request, second), resume=resume, measure=measure)
    return request.output


def _measure(dev: Candidates, model: PairModel) -> float:
    return mean_ndcg(model, dev)


def measured_on(dev: DevSettings, ndcg: float) -> dict[str, dict[str, float]]:
    """What a manifest says was measured."""
    return {f"{dev.index} {dev.split}": {MAIN_MEASURE: ndcg}}


def manifest_of(
    request: Request,
    counts: RowCounts,
    *,
    pairs: int,
    losses: Mapping[str, float],
    minutes: float,
    revision: str,
    metrics: Mapping[str, Any],
) -> VersionManifest:
    """The manifest of a training by this request, whose rows are counted by `counts`."""
    asked = request.as_json()
    outcome = recording.TrainingOutcome(
        examples={request.settings.recipe: counts.examples},
        dropped=counts.dropped,
        pairs=pairs,
        losses=losses,
        minutes=minutes,
        metrics=metrics,
    )
    return recording.record(
        request.settings.recipe,
        asdict(request.settings) | {"data": asked["data"], "dev": asked["dev"]},
        outcome,
        revision=revision,
        data=recording.index_builds(request.data.indexes(), root=request.root),
        protect=recording.protected_files(request.protect),
    )
