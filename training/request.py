"""One training from data to a version on disk: everything that was asked for, and the steps that do it.

The folder `work` holds rows and checkpoints while it lasts; the version appears at its place whole, at the end.
"""

import json
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from indexing import atomic
from indexing.errors import SettingsError, TrainingError
from indexing.index import ROOT
from indexing.judged import judged_sets
from search.load import NO_RERANKER, open_pipeline
from training import card, ranks
from training.candidates import first_stage_lists
from training.cold_start import self_taught
from training.data import DataSettings, collect
from training.dev_set import mean_ndcg
from training.evaluate import Candidates
from training.examples import Example
from training.first_stage import corpus_folder, open_corpus_folder
from training.fit import ROWS, Fitted, fit
from training.loss_recipes import COLD_START
from training.new_output import check_new
from training.options import SAMPLE
from training.pair_model import PairModel, model_config, save_weights
from training.phase import Phase
from training.protection import Protection
from training.row_files import RowCounts, read_rows, write_rows
from training.spent import Spent
from training.train_settings import TrainSettings
from training.watch import Measure, Report

SECOND_PASS = "self-taught"
ASKED = "asked.json"
FIRST = "first"


def work_folder(output: Path) -> Path:
    """Where the rows and checkpoints of a version to be lie."""
    return output.with_name(f".{output.name}.training")


def check_free(output: Path, *, resume: bool) -> None:
    """Raise TrainingError where `hold` would; the folder to work in is made."""
    with hold(output, resume=resume):
        pass


@contextmanager
def hold(output: Path, *, resume: bool) -> Iterator[Path]:
    """The folder to work in, made, and held against other trainings of the version until the block or the process ends.

    Raises TrainingError where the version is there, or is trained by another process, or a training of it was stopped
    and `resume` isn't given.
    """
    check_new(output)
    work = work_folder(output)
    known = work.exists()
    work.mkdir(parents=True, exist_ok=True)
    with atomic.locked(work) as free:
        if not free:
            raise TrainingError(f"Another process trains {output}, in {work}; wait for it, or stop it.")
        if known and not resume:
            raise TrainingError(f"A training of {output} was stopped and lies in {work}; give --resume, or delete it.")
        try:
            yield work
        except BaseException:
            if not any(work.rglob(ROWS)):  # there is nothing to go on with, as where the data were wrong
                shutil.rmtree(work)
            raise


def last_loss(losses: Mapping[int, float]) -> float:
    """The mean loss of the last tenth of the steps; 0 where there are none."""
    last = [losses[step] for step in sorted(losses)][-max(1, len(losses) // 10) :]
    return sum(last) / len(last) if last else 0.0


@dataclass(frozen=True)
class DevSettings:
    """Judged queries that say which weights are best; they are never trained on."""

    index: str = "sample"
    split: str = "dev"
    queries: int = 100
    """At most so many."""
    depth: int = 30
    """Passages of the fused first stage that are re-ranked for each."""

    def __post_init__(self) -> None:
        if self.split == "train":
            raise SettingsError(f"The train split of {self.index} is trained on; measure on another, such as dev.")


@dataclass(frozen=True)
class Request:
    """All that decides one training."""

    output: Path
    """The version's folder, to be made."""
    settings: TrainSettings
    data: DataSettings
    dev: DevSettings | None = None
    """None to measure nothing while training."""
    protect: tuple[Path, ...] = ()
    """Files of queries that must not be trained on."""
    root: Path = ROOT
    """Folder of all indexes."""

    @property
    def work(self) -> Path:
        """Where rows and checkpoints lie until the version is there."""
        return work_folder(self.output)

    def as_json(self) -> dict[str, Any]:
        """Plain data, for a job's config and a version's manifest."""
        return {
            **asdict(self),
            "output": str(self.output),
            "root": str(self.root),
            "protect": [str(path) for path in self.protect],
        }

    @property
    def gathered_from(self) -> dict[str, Any]:
        """All that decides the rows and what is measured, as plain data."""
        values = self.as_json()
        protect = [f"{row['file']} {row['sha256'][:12]}" for row in card.protect_rows(self.protect)]
        return {**values["data"], "dev": values["dev"], "protect": protect, "root": values["root"]}


def make(
    request: Request,
    *,
    resume: bool = False,
    phase: Phase = lambda *_: None,
    report: Report = lambda _: None,
    command: str,
) -> Path:
    """Gather, train, and put the version at its place; gives that back.

    Raises:
        TrainingError: as `hold` says, or there are no data.
        SecondLookError: as data, base model and dev set say.
    """
    if ranks.rank():
        return _compute(request, resume=resume)
    with hold(request.output, resume=resume):
        return _make(request, resume=resume, phase=phase, report=report, command=command)


def _make(request: Request, *, resume: bool, phase: Phase, report: Report, command: str) -> Path:
    keep_asked(request.work, request.gathered_from)
    spent = Spent(request.work)
    phase, report = spent.beside(phase), spent.beside(report)
    revision = card.code_revision()
    dev = dev_lists(request.dev, root=request.root, phase=phase) if request.dev else None
    gather_rows(request, phase=phase)
    measure = None if dev is None else partial(_measure, dev)
    fitted = fit(request.work, first_settings(request.settings), resume=resume, measure=measure, report=report)
    if request.settings.recipe == COLD_START:
        fitted = _again(request, fitted, measure=measure, phase=phase, report=report, resume=resume)
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
        card.write(folder, values, command=command)
    shutil.rmtree(request.work)
    return request.output


def keep_asked(folder: Path, asked: Mapping[str, Any]) -> None:
    """Note in a folder what rows are gathered from; refuse to go on there with those of other data.

    Raises:
        TrainingError: something differs from what was noted, such as the files of protected queries.
    """
    path = folder / ASKED
    values = json.loads(json.dumps(asked))
    before = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else values
    changed = sorted(name for name in values if before.get(name) != values[name])
    if changed:
        name = changed[0]
        raise TrainingError(
            f"The training in {folder} began with {name} {before.get(name)!r}, now it is {values[name]!r}; resume with "
            "the same, or delete it."
        )
    atomic.write_json(path, values)


def _compute(request: Request, *, resume: bool) -> Path:
    """What every process but the first does: the same steps, on its own part of each batch."""
    ranks.wait_for(request.work / ROWS)
    dev = dev_lists(request.dev, root=request.root) if request.dev else None
    measure = None if dev is None else partial(_measure, dev)
    fit(request.work, first_settings(request.settings), resume=resume, measure=measure)
    if request.settings.recipe == COLD_START:
        second = request.work / SECOND_PASS
        ranks.wait_for(second / ROWS)
        fit(second, _second_settings(request, second), resume=resume, measure=measure)
    return request.output


def _measure(dev: Candidates, model: PairModel) -> float:
    return mean_ndcg(model, dev)


def protection_of(request: Request) -> Protection:
    """What must not be trained on, beside all indexes that are read and measured on."""
    named = [*request.data.indexes(), *([request.dev.index] if request.dev else [])]
    return protection_beside(named, request.protect, root=request.root)


def protection_beside(indexes: Iterable[str], files: Iterable[Path], *, root: Path) -> Protection:
    """The queries of these files, and of every judged split but train beside these indexes and of the sample."""
    folders = {corpus_folder(name, root=root) for name in indexes}
    return Protection.read(files, [path for path in {*folders, SAMPLE} if path.is_dir()])


def gather_rows(request: Request, *, phase: Phase) -> RowCounts:
    """Write the rows, unless they are there from an earlier start."""
    target = request.work / ROWS
    if target.is_dir():
        return read_rows(target)[1]
    model_config(request.settings.base)  # what can't be trained is told before anything is gathered for it
    dropped: Counter[str] = Counter()
    examples = collect(
        request.settings.recipe,
        request.data,
        protection=protection_of(request),
        dropped=dropped,
        root=request.root,
        progress=phase,
    )
    form = request.settings.loss_recipe.form
    return write_rows(target, examples, form, seed=request.settings.seed, dropped=dropped)


def dev_lists(dev: DevSettings, *, root: Path, phase: Phase = lambda *_: None) -> Candidates:
    """The dev queries with their first-stage lists. Raises TrainingError where the corpus has no such split."""
    pipeline = open_pipeline(dev.index, reranker=NO_RERANKER, root=root)
    sets = judged_sets(open_corpus_folder(pipeline.index))
    if dev.split not in sets:
        raise TrainingError(f"The corpus of index {dev.index} has no judged {dev.split} split; give another --dev.")
    return first_stage_lists(
        pipeline,
        sets[dev.split],
        depth=dev.depth,
        queries=dev.queries,
        progress=lambda _, total: phase("dev queries", 1, total),
    )


def _again(
    request: Request, first: Fitted, *, measure: Measure | None, phase: Phase, report: Report, resume: bool
) -> Fitted:
    """The second pass of a cold start, on targets that the model had a say in; the better weights where dev says so."""
    work = request.work / SECOND_PASS
    base = work / FIRST
    if not base.is_dir():
        with atomic.folder(base) as folder:
            first.model.save_pretrained(str(folder), create_model_card=False)
    if not (work / ROWS).is_dir():
        lists = sum(first.counts.examples.values())
        mixed = self_taught(
            _examples(request.work / ROWS), first.model, progress=lambda done: phase("teach itself", done, lists)
        )
        write_rows(work / ROWS, mixed, request.settings.loss_recipe.form, seed=request.settings.seed)
    second = fit(work, _second_settings(request, work), resume=resume, measure=measure, report=report)
    losses = {**first.losses, **{first.steps + step: loss for step, loss in second.losses.items()}}
    kept = max(second, first, key=lambda fitted: fitted.best_ndcg or 0.0)  # the second where they are equal
    return Fitted(
        kept.model, losses, kept.best_ndcg, first.counts, first.steps + second.steps, first.pairs + second.pairs
    )


def _examples(rows: Path) -> Iterator[Example]:
    """The examples that a cold start's rows were made of."""
    found, counts = read_rows(rows)
    source = next(iter(counts.examples))
    for row in found:
        yield Example(source, row["query"], tuple(row["passages"]), scores=tuple(row["labels"]))


def first_settings(settings: TrainSettings) -> TrainSettings:
    """Of the first pass: a cold start's has half of the steps and minutes, as there is a second one."""
    if settings.recipe != COLD_START:
        return settings
    steps = None if settings.steps is None else max(1, settings.steps // 2)
    return replace(settings, steps=steps, minutes=settings.minutes and settings.minutes / 2)


def _second_settings(request: Request, work: Path) -> TrainSettings:
    return replace(first_settings(request.settings), base=str(work / FIRST), seed=request.settings.seed + 1)


def measured_on(dev: DevSettings, ndcg: float) -> dict[str, dict[str, float]]:
    """What a manifest says was measured."""
    return {f"{dev.index} {dev.split}": {"nDCG@10": ndcg}}


def manifest_of(
    request: Request,
    counts: RowCounts,
    *,
    pairs: int,
    losses: Mapping[str, float],
    minutes: float,
    revision: str,
    metrics: Mapping[str, Any],
) -> dict[str, Any]:
    """What `card.record` gives of a training that was asked for so, and whose rows are counted by `counts`."""
    asked = request.as_json()
    return card.record(
        request.settings.recipe,
        asdict(request.settings) | {"data": asked["data"], "dev": asked["dev"]},
        examples={request.settings.recipe: counts.examples},
        pairs=pairs,
        losses=losses,
        minutes=minutes,
        revision=revision,
        data=card.data_rows(request.data.indexes(), root=request.root),
        metrics=metrics,
        dropped=counts.dropped,
        protect=card.protect_rows(request.protect),
    )
