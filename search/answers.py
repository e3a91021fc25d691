"""Answers a file of queries one after the other; each answer is kept, so that a stopped run goes on where it was."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from indexing.manifest import Manifest
from indexing.notes import Note, counted, log_note
from indexing.progress import Progress, silent
from indexing.provenance import package_version
from indexing.records import PassageId, Query, QueryId, Ranking, Run
from search.journal import Journal, open_journal
from search.pipeline import Pipeline
from search.settings import PipelineSettings
from search.trec import write_run

PARTIAL = ".partial"
Answer = Callable[[Query], Ranking]
"""Answers one query: its final list."""


def run_identity(
    manifest: Manifest, queries: Sequence[Query], settings: PipelineSettings, *, reranker: str
) -> dict[str, Any]:
    """All that determines the answers of a run, as plain JSON; `reranker` is the re-ranker's fingerprint."""
    values = settings_identity(settings)
    if values["rerank_order"] == "fused":
        del values["rerank_order"]  # runs that were begun before there was a choice go on
    return {
        "index": manifest.name,
        "build": manifest.build,
        "re-ranker": reranker,
        "queries": queries_fingerprint(queries),
        "program": package_version(),
        **values,
    }


def settings_identity(settings: PipelineSettings) -> dict[str, Any]:
    """The settings as plain JSON, without those that are off, which runs that were begun before don't name."""
    values = asdict(settings)
    if values["rerank_stop"] is None:
        del values["rerank_stop"]
    return values


def write_answers(
    output: Path,
    queries: Sequence[Query],
    identity: Mapping[str, Any],
    open_answer: Callable[[], Answer],
    *,
    tag: str,
    note: Note = log_note,
    progress: Progress = silent,
) -> Run:
    """Answer each query and write the run to `output`, which appears whole, once the last one is answered.

    Until then the answers are kept beside it, in OUTPUT.partial, and a stopped call with the same identity goes on
    there. `open_answer` loads what answers; it is called after all checks, and only if a query is left.

    Raises:
        BusyError: another process writes this run.
        SettingsError: OUTPUT.partial was made with something else.
        CorpusError: a file can't be written.
    """
    partial = output.with_name(output.name + PARTIAL)
    with open_journal(partial, identity, doing=f"writes {output}") as journal:
        if journal.kept:
            note(f"{counted(len(journal.kept), 'query', 'queries')} answered before a stop: taken from {partial}.")
        _answer(journal, queries, open_answer, progress)
        run = {QueryId(query): plain_ranking(value) for query, value in journal.items()}
        write_run(output, run, tag=tag)
        journal.remove()
    return run


def _answer(journal: Journal, queries: Sequence[Query], open_answer: Callable[[], Answer], progress: Progress) -> None:
    kept = set(journal.kept)
    left = [query for query in queries if query.id not in kept]
    if kept:
        progress("search", len(journal.kept), len(queries))
    answer = open_answer() if left else None
    for query in left:
        if answer is not None:
            journal.add(query.id, ranking_json(answer(query)))
            progress("search", 1, len(queries))


def final_lists(pipeline: Pipeline, settings: PipelineSettings) -> Answer:
    """A pipeline's final list of each query."""
    return lambda query: pipeline.search(query.text, settings).final


def queries_fingerprint(queries: Iterable[Query]) -> str:
    """Sixteen hexadecimal digits that change with the ids, texts and order of queries."""
    lines = json.dumps([(query.id, query.text) for query in queries])
    return hashlib.sha256(lines.encode()).hexdigest()[:16]


def ranking_json(ranking: Ranking) -> list[Any]:
    """A ranking as plain JSON, from which `plain_ranking` makes the same one."""
    return [list(ranking.passage_ids), ranking.scores.tolist()]


def plain_ranking(value: Sequence[Any]) -> Ranking:
    """The ranking of which `ranking_json` made this."""
    ids, scores = value
    return Ranking([PassageId(name) for name in ids], np.array(scores, dtype=np.float32))
