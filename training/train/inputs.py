"""What a training works with: protected queries, rows and dev lists."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from indexing import places
from indexing.index import corpus_folder, judged_split
from indexing.progress import Progress, relabel, silent
from search.load import open_pipeline
from search.served import NO_RERANKER
from training.data.collect import collect
from training.evaluation.candidates import Candidates, first_stage_lists
from training.fitting.fit import ROWS
from training.fitting.model import model_config
from training.judgments.protection import Protection
from training.recipes.row_files import RowCounts, read_rows, write_rows
from training.train.request import DevSettings, Request


def protection_of(request: Request) -> Protection:
    """What must not be trained on, beside all indexes that are read and measured on."""
    named = [*request.data.indexes(), *([request.dev.index] if request.dev else [])]
    return protection_beside(named, request.protect, root=request.root)


def protection_beside(indexes: Iterable[str], files: Iterable[Path], *, root: Path) -> Protection:
    """The queries of these files, and of every judged split but train beside these indexes and of the sample."""
    folders = {corpus_folder(name, root=root) for name in indexes}
    return Protection.read(files, [path for path in {*folders, places.sample()} if path.is_dir()])


def gather_rows(request: Request, *, progress: Progress = silent) -> RowCounts:
    """Write the rows, unless they are there from an earlier start."""
    target = request.work / ROWS
    if target.is_dir():
        return read_rows(target)[1]
    model_config(request.settings.base)  # what can't be trained is told before anything is gathered for it
    dropped: Counter[str] = Counter()
    examples = collect(
        request.settings.loss_recipe,
        request.data,
        protection=protection_of(request),
        dropped=dropped,
        root=request.root,
        progress=progress,
    )
    form = request.settings.loss_recipe.form
    return write_rows(target, examples, form, seed=request.settings.seed, dropped=dropped)


def dev_lists(dev: DevSettings, *, root: Path, progress: Progress = silent) -> Candidates:
    """The dev queries with their first-stage lists. Raises SettingsError where the corpus has no such split."""
    pipeline = open_pipeline(dev.index, reranker=NO_RERANKER, root=root)
    return first_stage_lists(
        pipeline,
        judged_split(pipeline.index, dev.split, advice="give another --dev"),
        depth=dev.depth,
        queries=dev.queries,
        progress=relabel(progress, "dev queries"),
    )
