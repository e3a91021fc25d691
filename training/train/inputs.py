"""The inputs of a training: protected queries, the rows of each pass, and first-stage lists for its dev queries."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from indexing import places, provenance
from indexing.index import corpus_folder, judged_split
from indexing.progress import Progress, relabel, silent
from indexing.records import Qrels
from training.data.collect import collect
from training.data.ingredients import IngredientReader
from training.data.open_indexes import OpenIndexes
from training.evaluation.candidates import Candidates, first_stage_lists
from training.example import PROTECTED, Example
from training.fitting.fit import ROWS
from training.fitting.model import PairModel, model_config
from training.judgments.protection import Protection
from training.mining.kept_negatives import FOLDER, Keeping
from training.recipes.row_counts import RowCounts
from training.recipes.row_files import read_rows, write_rows
from training.train.passes import TrainingPass, passes_of
from training.train.request import DevSettings, LearningRequest, TrainRequest, plan_json
from training.train.self_taught import examples_of, self_taught
from training.train.workspace import Workspace, check_origin


def protection_of(request: LearningRequest) -> Protection:
    """The queries that must not be trained on: those of files, and the judged splits beside all indexes in use.

    Train splits are not protected; the dev and test queries of the bundled sample always are.
    """
    names = {*request.indexes(), *([request.dev.index] if request.dev else [])}
    folders = {corpus_folder(name, root=request.root) for name in names}
    return Protection.read(request.protect, [path for path in {*folders, places.sample()} if path.is_dir()])


class RowGatherer:
    """Gathers the rows of a training's passes; indexes, bi-encoders and teachers are opened once."""

    def __init__(
        self, request: TrainRequest, *, protection: Protection, indexes: OpenIndexes, progress: Progress = silent
    ) -> None:
        self._request, self._protection, self._indexes, self._progress = request, protection, indexes, progress
        self._gatherer = IngredientReader(indexes, protection=protection, progress=progress)

    def gather(
        self, training_pass: TrainingPass, *, before: TrainingPass | None = None, model: PairModel | None = None
    ) -> RowCounts:
        """Write the rows of a pass unless an earlier start did; `model` is the one that the pass `before` trained."""
        target = training_pass.folder / ROWS
        if target.is_dir():
            return read_rows(target)[1]
        training_pass.folder.mkdir(parents=True, exist_ok=True)
        if before is None:
            model_config(training_pass.settings.base)  # fail on an unusable base before gathering
        dropped: Counter[str] = Counter()
        examples: Iterable[Example]
        if training_pass.self_taught and before is not None and model is not None:
            examples = self._self_taught(before, model)
        elif training_pass.stage is not None and training_pass.mining is not None:
            protected = self._gatherer.dropped
            examples = self._gatherer.stage(
                training_pass.stage.with_itself(training_pass.settings.base), training_pass.mining
            )
            dropped.update(+Counter({PROTECTED: self._gatherer.dropped - protected}))
        else:
            examples = collect(
                self._request.resolved_recipe,
                self._request.data,
                protection=self._protection,
                dropped=dropped,
                indexes=self._indexes,
                progress=self._progress,
            )
        settings = training_pass.settings
        return write_rows(target, examples, settings.loss_recipe.form, seed=settings.seed, dropped=dropped)

    def close(self) -> None:
        """Close indexes and teachers, because training needs their memory."""
        self._indexes.close()
        self._gatherer = IngredientReader(self._indexes, protection=self._protection, progress=self._progress)

    def _self_taught(self, before: TrainingPass, model: PairModel) -> Iterator[Example]:
        lists = sum(read_rows(before.folder / ROWS)[1].examples.values())
        progress = relabel(self._progress, "teach itself", total=lists)
        return self_taught(examples_of(before.folder / ROWS), model, progress=progress)


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """The inputs of a training, gathered once while its folder is locked."""

    rows: RowGatherer
    """Has gathered the rows of the first pass; gathers those of each later pass when it begins."""
    counts: RowCounts
    """Of the rows of the first pass."""
    dev: Candidates | None
    """The dev queries with their first-stage lists; None if nothing is measured."""
    dev_build: str
    """The build of the index that these lists come from; empty if nothing is measured."""
    revision: str
    """Revision of the code when the training began."""


def gather_inputs(request: TrainRequest, workspace: Workspace, *, progress: Progress = silent) -> Inputs:
    """Gather the rows of the first pass and the dev lists, in a locked folder.

    Raises:
        TrainingError: there are no data, or the folder holds rows of other data.
        SecondLookError: the data or the base model can't be used.
    """
    revision, progress = provenance.code_revision(), workspace.timed(progress)
    protection = protection_of(request)
    indexes = OpenIndexes(request.root, keeping=Keeping(places.runs() / FOLDER))
    dev, build, measured = None, "", {}
    if request.dev is not None:
        dev = dev_lists(request.dev, indexes, progress=progress)
        manifest = indexes.index(request.dev.index).manifest
        build = manifest.build
        measured = {"dev passages": manifest.corpus_fingerprint, "dev judgments": digest_of(dev.qrels)}
    check_origin(workspace.folder, origin_of(request, protection) | measured)
    rows = RowGatherer(request, protection=protection, indexes=indexes, progress=progress)
    counts = rows.gather(passes_of(request)[0])
    return Inputs(rows=rows, counts=counts, dev=dev, dev_build=build, revision=revision)


def digest_of(qrels: Qrels) -> str:
    """Sixteen hexadecimal digits that change with any grade."""
    grades = json.dumps({query: dict(judged) for query, judged in qrels.items()}, sort_keys=True)
    return hashlib.sha256(grades.encode()).hexdigest()[:16]


def origin_of(request: TrainRequest, protection: Protection) -> dict[str, Any]:
    """Everything that determines the rows of a training, as plain data."""
    if request.plan is None:
        return request.gathered_from()
    rest = {"root": str(request.root), "protected queries": protection.fingerprint()}
    return {"recipe": plan_json(request.plan), **rest, "dev": request.gathered_from()["dev"]}


def dev_lists(dev: DevSettings, indexes: OpenIndexes, *, progress: Progress = silent) -> Candidates:
    """The dev queries with their first-stage lists. Raises SettingsError if the corpus has no such split."""
    pipeline = indexes.pipeline(dev.index)
    return first_stage_lists(
        pipeline,
        judged_split(pipeline.index, dev.split, advice="give another --dev"),
        depth=dev.depth,
        queries=dev.queries,
        progress=relabel(progress, "dev queries"),
    )
