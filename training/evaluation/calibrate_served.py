"""Calibrates what an index serves, on judged queries beside its corpus or in files, and keeps what was fitted."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from indexing.errors import SettingsError
from indexing.index import open_corpus_folder
from indexing.judged.fit import FittedSet
from indexing.judged.sets import judged_sets, pick_split, read_judged
from indexing.notes import counted, silent_note
from indexing.progress import Progress, silent
from search.calibration.stored import keep_calibration
from search.pipeline import RetrieveAndRerank
from training.evaluation.calibrate import fit_calibration, shown_passages
from training.evaluation.inputs import fitted_set


def judged_queries(
    pipeline: RetrieveAndRerank, split: str, *, queries: Path | None = None, qrels: Path | None = None
) -> FittedSet:
    """The judged queries of a split beside the corpus, or of files, compared with the index.

    Raises:
        SettingsError, CorpusError: there are none, they can't be read, or they don't fit the index.
    """
    index = pipeline.index
    if qrels is not None:
        judged = read_judged(queries, qrels, split=qrels.name, note=silent_note)
    else:
        sets = judged_sets(open_corpus_folder(index), note=silent_note)
        judged = pick_split(sets, split, index=index.manifest.name)
    return fitted_set(judged, index)


def calibrate_served(
    pipeline: RetrieveAndRerank,
    split: str,
    *,
    root: Path | None = None,
    queries: Path | None = None,
    qrels: Path | None = None,
    turn: Callable[[], AbstractContextManager[None]] = nullcontext,
    progress: Progress = silent,
) -> str:
    """Calibrate a pipeline by its own settings, and say in a sentence what came of it: why not, where it can't be.

    `turn` is held during each search. Raises IndexingError, CorpusError, ModelError.
    """
    try:
        judged = judged_queries(pipeline, split, queries=queries, qrels=qrels)
        shown = shown_passages(pipeline, judged, turn=turn, progress=progress)
        fitted = fit_calibration(pipeline, shown, split=judged.judged.split)
    except SettingsError as error:
        return str(error)
    keep_calibration(pipeline.index.manifest.name, fitted.calibration, root=root)
    held_out, split = fitted.held_out, judged.judged.split
    asked = counted(held_out.queries, f"{split} query", f"{split} queries")
    return (
        f"Its scores are calibrated: expected calibration error {held_out.calibration_error:.4f} over {asked}, each "
        f"held out in turn, depth {pipeline.settings.rerank_depth}, build {pipeline.index.manifest.build}."
    )
