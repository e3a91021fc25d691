"""One training, from a request to a version on disk."""

import shutil
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from indexing import atomic
from indexing.progress import Progress, silent
from training.data.open_indexes import OpenIndexes
from training.evaluation.candidates import Candidates
from training.evaluation.settings import MAIN_MEASURE
from training.fitting import processes
from training.fitting.callback import Measure, ReportStep, TrainingStep
from training.fitting.dev_set import mean_ndcg, seconds_a_list
from training.fitting.fit import ROWS, FittedModel, fit
from training.fitting.model import PairModel, open_pair_model, save_weights
from training.train.inputs import Inputs, dev_lists, gather_inputs
from training.train.passes import TrainingPass, passes_of
from training.train.request import DevSettings, TrainRequest
from training.train.whole import FILE, queries_to_measure, share_of_evaluating, within_whole
from training.train.workspace import Workspace, hold_workspace
from training.versions import recording
from training.versions.manifest import MeasuredSet, VersionManifest


def no_report(step: TrainingStep) -> None:
    """Ignore the report of a step."""


def do_nothing() -> None:
    """Before an evaluation, where nothing else is measured."""


def train_version(
    request: TrainRequest,
    *,
    resume: bool = False,
    progress: Progress = silent,
    report: ReportStep = no_report,
    command: str = "",
) -> Path:
    """Gather the data, train, and write the version; returns its folder. It can be stopped at any time and resumed.

    `report` is called after each step of the optimizer; `command` appears on the version's card as what made it. Under
    torchrun every process calls this: the first one gathers and writes, the others only compute.

    Raises:
        BusyError: another process is training the version.
        TrainingError: the version exists, a training of it was stopped and `resume` isn't given, or there are no data.
        SecondLookError: the data, the base model or the dev set can't be used.
    """
    if processes.rank():
        return _compute(request, resume=resume)
    with hold_workspace(request.output, resume=resume) as workspace:
        inputs = gather_inputs(request, workspace, progress=progress)
        inputs, evaluation = fit_measuring(request, inputs, workspace, progress=progress)
        return train_on(
            request,
            inputs,
            workspace,
            resume=resume,
            report=report,
            command=command,
            progress=progress,
            evaluation=evaluation,
        )


def fit_measuring(
    request: TrainRequest, inputs: Inputs, workspace: Workspace, *, times: int = 1, progress: Progress = silent
) -> tuple[Inputs, float]:
    """The inputs with the dev queries that are measured on, and the minutes of measuring on them so many `times`.

    Where the minutes count everything, a few lists are timed, and no more queries are kept than can be measured in a
    part of them. Otherwise nobody needs to know how long it takes: 0 minutes.
    """
    minutes = request.settings.minutes
    if not request.whole or minutes is None or inputs.dev is None:
        return inputs, 0.0
    each = 0.0
    if not (workspace.folder / FILE).is_file():
        first = passes_of(request)[0].settings
        model = open_pair_model(first.base, max_length=first.max_length, dropout=first.dropout, seed=first.seed)
        each = times * seconds_a_list(model, inputs.dev) / 60
    count = there = len(inputs.dev.queries)
    if processes.processes() == 1:  # else each process would have to cut its own
        count = queries_to_measure(minutes, workspace.folder, there=there, each=each)
    if count < there:
        progress(f"measuring on {count:,} of {there:,} dev queries, as many as the minutes allow", 0, 0)
    return replace(inputs, dev=inputs.dev.part(count)), each * count


def train_on(
    request: TrainRequest,
    inputs: Inputs,
    workspace: Workspace,
    *,
    resume: bool = False,
    report: ReportStep = no_report,
    command: str = "",
    progress: Progress = silent,
    evaluation: float = 0.0,
    before_measuring: Callable[[], None] = do_nothing,
) -> Path:
    """Train on gathered inputs in a folder that has been locked since, and write the version; returns its folder.

    `progress` counts the dev queries of each evaluation; it must not interrupt. `evaluation` are the minutes of what is
    measured last, as far as they are known; `before_measuring` is called before each evaluation.
    """
    passes = passes_of(_timed(request, inputs, workspace, evaluation))
    measure = measure_on(inputs.dev, progress=progress, before=before_measuring)
    results = train_passes(passes, inputs, measure, resume=resume, report=workspace.timed(report))
    measured = Measured()
    if inputs.dev is not None and request.dev is not None and measure is not None:
        ndcg = measure(results.model) if results.best_ndcg is None else results.best_ndcg
        measured = Measured.on(request.dev, ndcg, queries=len(inputs.dev.qrels), build=inputs.dev_build)
    manifest = manifest_of(request, results, minutes=workspace.minutes, revision=inputs.revision, measured=measured)
    with atomic.folder(request.output) as folder:
        save_weights(results.model, folder)
        recording.write_manifest(
            folder, manifest, command=command or f"training.train_version, recipe {request.recipe}"
        )
    shutil.rmtree(workspace.folder)
    return request.output


def _timed(request: TrainRequest, inputs: Inputs, workspace: Workspace, evaluation: float) -> TrainRequest:
    """The request with the minutes that are left to train, where its minutes count everything."""
    if not request.whole:
        return request
    pairs_a_row = inputs.counts.pairs / inputs.counts.rows
    settings = request.settings.by(request.recipe)
    share = share_of_evaluating(settings, pairs_a_row=pairs_a_row, dev_pairs=_dev_pairs(inputs))
    return within_whole(request, workspace.folder, spent=workspace.minutes, last=evaluation, share=share)


def _dev_pairs(inputs: Inputs) -> int:
    """(query, passage) pairs that one evaluation scores."""
    return 0 if inputs.dev is None else sum(len(ranking) for ranking in inputs.dev.run.values())


@dataclass(kw_only=True)
class PassResults:
    """The passes' results, summed; the model is that of the best pass, of the last one if several are equal."""

    fitted: FittedModel | None = None
    examples: dict[str, dict[str, int]] = field(default_factory=dict)
    """Examples by pass and source."""
    dropped: "Counter[str]" = field(default_factory=Counter)
    """Examples and queries left out, by reason."""
    losses: dict[str, dict[int, float]] = field(default_factory=dict)
    """Losses by pass and step; steps are numbered across all passes."""
    steps: int = 0
    pairs: int = 0
    """(query, passage) pairs seen."""

    def add(self, training_pass: TrainingPass, fitted: FittedModel) -> None:
        """Add the results of a pass. Rows of a self-taught pass don't count as new examples."""
        if not training_pass.self_taught:
            self.examples[training_pass.name] = fitted.counts.examples
            self.dropped.update(fitted.counts.dropped)
        losses = self.losses.setdefault(training_pass.name, {})
        losses.update({self.steps + step: loss for step, loss in fitted.losses.items()})
        self.steps, self.pairs = self.steps + fitted.steps, self.pairs + fitted.pairs
        if self.fitted is None or (fitted.best_ndcg or 0.0) >= (self.fitted.best_ndcg or 0.0):
            self.fitted = fitted

    @property
    def model(self) -> PairModel:
        """The model of the best pass."""
        if self.fitted is None:
            raise ValueError("no pass was added")
        return self.fitted.model

    @property
    def best_ndcg(self) -> float | None:
        """nDCG@10 of the best pass's weights on the dev set; None if nothing was evaluated during training."""
        return None if self.fitted is None else self.fitted.best_ndcg


def train_passes(
    passes: list[TrainingPass], inputs: Inputs, measure: Measure | None, *, resume: bool, report: ReportStep
) -> PassResults:
    """Train pass by pass, each from the weights of the one before, on rows that are gathered when it begins."""
    results = PassResults()
    before, model = None, None
    for number, training_pass in enumerate(passes, start=1):
        inputs.rows.gather(training_pass, before=before, model=model)
        if not any(later.stage for later in passes[number:]):
            inputs.rows.close()
        report_here = partial(_report_in_pass, report, number=number, passes=len(passes), steps_before=results.steps)
        fitted = fit(training_pass.folder, training_pass.settings, resume=resume, measure=measure, report=report_here)
        if number < len(passes):
            _save_base(fitted.model, Path(passes[number].settings.base))
        results.add(training_pass, fitted)
        before, model = training_pass, fitted.model
    return results


def _report_in_pass(report: ReportStep, step: TrainingStep, *, number: int, passes: int, steps_before: int) -> None:
    report(replace(step, pass_number=number, passes=passes, steps_before=steps_before))


def _save_base(model: PairModel, folder: Path) -> None:
    """Save the weights that the next pass starts from, in float32, unless an earlier start did."""
    if not folder.is_dir():
        with atomic.folder(folder) as target:
            model.save_pretrained(str(target), create_model_card=False)


def _compute(request: TrainRequest, *, resume: bool) -> Path:
    """The work of every process but the first: the same passes, on its own share of each batch."""
    passes = passes_of(request)
    processes.wait_for(passes[0].folder / ROWS)
    dev = None if request.dev is None else dev_lists(request.dev, OpenIndexes(request.root))
    for training_pass in passes:
        processes.wait_for(training_pass.folder / ROWS)
        fit(training_pass.folder, training_pass.settings, resume=resume, measure=measure_on(dev))
    return request.output


def measure_on(
    dev: Candidates | None, *, progress: Progress = silent, before: Callable[[], None] = do_nothing
) -> Measure | None:
    """A function that calls `before` and returns a model's nDCG@10 on the dev queries; None without dev queries."""
    if dev is None:
        return None

    def measure(model: PairModel) -> float:
        before()
        return mean_ndcg(model, dev, progress=progress)

    return measure


def last_loss(losses: Mapping[int, float]) -> float:
    """The mean loss of the last tenth of the steps; 0 without steps."""
    last = [losses[step] for step in sorted(losses)][-max(1, len(losses) // 10) :]
    return sum(last) / len(last) if last else 0.0


@dataclass(frozen=True)
class Measured:
    """Figures as a manifest records them, and what they are of, both by judged set."""

    metrics: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    sets: Mapping[str, MeasuredSet] = field(default_factory=dict)

    @classmethod
    def on(cls, dev: DevSettings, ndcg: float, *, queries: int, build: str = "") -> "Measured":
        """An nDCG@10 on so many dev queries; `build` is empty where it isn't known."""
        name = f"{dev.index} {dev.split}"
        return cls({name: {MAIN_MEASURE: ndcg}}, {name: MeasuredSet(queries=queries, depth=dev.depth, build=build)})


def manifest_of(
    request: TrainRequest, results: PassResults, *, minutes: float, revision: str, measured: Measured
) -> VersionManifest:
    """The manifest of a version trained by this request."""
    outcome = recording.TrainingOutcome(
        examples=results.examples,
        dropped=results.dropped,
        pairs=results.pairs,
        losses={name: last_loss(losses) for name, losses in results.losses.items()},
        minutes=minutes,
        metrics=measured.metrics,
        measured_on=measured.sets,
    )
    return recording.record(
        request.recipe,
        request.decided_by(),
        outcome,
        revision=revision,
        data=recording.index_builds(request.indexes(), root=request.root),
        protect=recording.protected_files(request.protect),
    )
