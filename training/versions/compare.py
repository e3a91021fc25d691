"""Compares versions query by query: each re-ranks the same first-stage lists and is tested against one of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from indexing.judged.sets import JudgedSet
from indexing.notes import log_note
from indexing.progress import Progress, relabel, silent
from indexing.records import Query
from search.pipeline import Pipeline
from search.rerank.reranker import Reranker
from training.evaluation.candidates import first_stage_lists
from training.evaluation.comparison import Comparison, compare_runs
from training.evaluation.settings import MAIN_MEASURE
from training.versions.measured import measured_run

FIRST_STAGE = "first stage"


@dataclass(frozen=True)
class VersionComparison:
    """Versions and the first stage that they re-rank, measured in the same way."""

    queries: tuple[Query, ...]
    comparison: Comparison
    """By MAIN_MEASURE; the first stage is a reference, which isn't tested."""
    notes: tuple[str, ...] = ()
    """What was left out, and where judgments and index don't fit, in sentences."""


def compare_versions(
    versions: Mapping[str, Reranker],
    pipeline: Pipeline,
    judged: JudgedSet,
    *,
    baseline: str,
    depth: int,
    folders: Mapping[str, Path] | None = None,
    kept_in: Path | None = None,
    progress: Progress = silent,
) -> VersionComparison:
    """Measure the named versions on the judged set's queries, re-ranking `depth` passages for each, as served.

    Where `folders` names a version's files, its order is kept below `kept_in`, and one that was kept is used again.

    Raises:
        SettingsError: the baseline isn't one of the versions, or the set has no judged queries.
    """
    lists = first_stage_lists(pipeline, judged, depth=depth, progress=relabel(progress, FIRST_STAGE))
    used: list[str] = []
    runs = {
        name: measured_run(
            (folders or {}).get(name, Path()),
            lists,
            partial(_opened, reranker),
            kept_in=kept_in if name in (folders or {}) else None,
            name=name,
            note=used.append,
            progress=relabel(progress, f"re-rank by {name}"),
        )
        for name, reranker in versions.items()
    }
    for sentence in used:
        log_note(sentence)
    comparison = compare_runs(
        runs, lists.qrels, baseline=baseline, minimum_grade=1, measure=MAIN_MEASURE, references={FIRST_STAGE: lists.run}
    )
    return VersionComparison(lists.queries, comparison, (*lists.notes, *used))


def _opened(reranker: Reranker) -> Reranker:
    """The re-ranker itself, which is open already."""
    return reranker
