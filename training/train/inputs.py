"""What a training works with: protected queries, the rows of each pass, and the lists of its dev queries."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from indexing import places, provenance
from indexing.index import corpus_folder, judged_split
from indexing.progress import Progress, relabel, silent
from training.data.collect import collect
from training.data.ingredients import IngredientReader
from training.data.open_indexes import OpenIndexes
from training.evaluation.candidates import Candidates, first_stage_lists
from training.example import PROTECTED, Example
from training.fitting.fit import ROWS
from training.fitting.model import PairModel, model_config
from training.judgments.protection import Protection
from training.recipes.row_counts import RowCounts
from training.recipes.row_files import read_rows, write_rows
from training.train.passes import TrainingPass, passes_of
from training.train.request import DevSettings, LearningRequest, TrainRequest, plan_json
from training.train.self_taught import examples_of, self_taught
from training.train.workspace import Workspace, check_origin


def protection_of(request: LearningRequest) -> Protection:
    """What must not be trained on: the queries of files, and judged splits beside all indexes that are read.

    The train splits beside these indexes are not protected; the bundled sample's dev and test queries always are.
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
        self, one: TrainingPass, *, before: TrainingPass | None = None, model: PairModel | None = None
    ) -> RowCounts:
        """Write the rows of a pass, unless an earlier start has; `model` is what the pass `before` ended with."""
        target = one.folder / ROWS
        if target.is_dir():
            return read_rows(target)[1]
        one.folder.mkdir(parents=True, exist_ok=True)
        if before is None:
            model_config(one.settings.base)  # a base that can't be trained is refused before anything is gathered
        dropped: Counter[str] = Counter()
        examples: Iterable[Example]
        if one.self_taught and before is not None and model is not None:
            examples = self._self_taught(before, model)
        elif one.stage is not None and one.mining is not None:
            protected = self._gatherer.dropped
            examples = self._gatherer.stage(one.stage.with_itself(one.settings.base), one.mining)
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
        return write_rows(target, examples, one.settings.loss_recipe.form, seed=one.settings.seed, dropped=dropped)

    def close(self) -> None:
        """Let go of indexes and teachers: a training wants their memory."""
        self._indexes.close()
        self._gatherer = IngredientReader(self._indexes, protection=self._protection, progress=self._progress)

    def _self_taught(self, before: TrainingPass, model: PairModel) -> Iterator[Example]:
        lists = sum(read_rows(before.folder / ROWS)[1].examples.values())
        progress = relabel(self._progress, "teach itself", total=lists)
        return self_taught(examples_of(before.folder / ROWS), model, progress=progress)


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """What a training works with, made once while its folder is held, and handed on."""

    rows: RowGatherer
    """Has gathered the rows of the first pass, and gathers those of the others when their time comes."""
    counts: RowCounts
    """What the rows of the first pass were made of."""
    dev: Candidates | None
    """The dev queries with their first-stage lists; None where nothing is measured."""
    revision: str
    """The code's when the training began."""


def gather_inputs(request: TrainRequest, workspace: Workspace, *, progress: Progress = silent) -> Inputs:
    """Gather the rows of the first pass and the dev lists, in a folder that is held.

    Raises:
        TrainingError: there are no data, or the folder holds rows of other ones.
        SecondLookError: data or base model can't be used.
    """
    revision, progress = provenance.code_revision(), workspace.timed(progress)
    protection = protection_of(request)
    check_origin(workspace.folder, origin_of(request, protection))
    indexes = OpenIndexes(request.root)
    dev = None if request.dev is None else dev_lists(request.dev, indexes, progress=progress)
    rows = RowGatherer(request, protection=protection, indexes=indexes, progress=progress)
    return Inputs(rows=rows, counts=rows.gather(passes_of(request)[0]), dev=dev, revision=revision)


def origin_of(request: TrainRequest, protection: Protection) -> dict[str, Any]:
    """What decides the rows of a training, as plain data."""
    if request.plan is None:
        return request.gathered_from()
    rest = {"root": str(request.root), "protected queries": protection.fingerprint()}
    return {"recipe": plan_json(request.plan), **rest, "dev": request.gathered_from()["dev"]}


def dev_lists(dev: DevSettings, indexes: OpenIndexes, *, progress: Progress = silent) -> Candidates:
    """The dev queries with their first-stage lists. Raises SettingsError where the corpus has no such split."""
    pipeline = indexes.pipeline(dev.index)
    return first_stage_lists(
        pipeline,
        judged_split(pipeline.index, dev.split, advice="give another --dev"),
        depth=dev.depth,
        queries=dev.queries,
        progress=relabel(progress, "dev queries"),
    )
