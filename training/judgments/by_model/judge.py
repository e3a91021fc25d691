"""Judgments by a measured model, of the first passages of a run, in files that bear its name."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from indexing import atomic
from indexing.errors import SettingsError
from indexing.index import Index
from indexing.judged.qrels import MODEL
from indexing.notes import Note, counted, log_note
from indexing.progress import Progress, silent
from indexing.records import PassageId, Qrels, Query, QueryId, Run
from training.judgments.by_model.grader import Grader, Pair
from training.judgments.by_model.measured import ModelAgreement
from training.judgments.marked import qrels_lines, query_lines, write_lines

FILES = ("queries.model.tsv", "qrels.model.tsv", "model.json")
"""Queries, judgments, and how far the model agreed with a person; `model` is no split, as `clicks` is none."""


def run_pairs(queries: Sequence[Query], run: Run, index: Index, *, depth: int, note: Note = log_note) -> list[Pair]:
    """The first `depth` passages of each query, in the queries' order; `note` is told what is left out.

    Raises:
        SettingsError: the run answers none of the queries with a passage of the index.
    """
    pairs: list[Pair] = []
    absent, unanswered = 0, 0
    for query in queries:
        if query.id not in run:
            unanswered += 1
            continue
        for passage_id in run[query.id].passage_ids[:depth]:
            if passage_id in index.passages:
                pairs.append(Pair(query, index.passages.by_id(passage_id)))
            else:
                absent += 1
    name = index.manifest.name
    if not pairs:
        raise SettingsError(
            f"The run holds no passage of index {name} for any of the {counted(len(queries), 'query', 'queries')}; "
            "give a run of these queries on this index."
        )
    if absent:
        note(f"{counted(absent, 'passage')} of the run left out: index {name} has none of that id.")
    if unanswered:
        note(f"{counted(unanswered, 'query', 'queries')} left out: the run doesn't answer them.")
    return pairs


def judge(
    grader: Grader,
    pairs: Sequence[Pair],
    *,
    note: Note = log_note,
    progress: Progress = silent,
) -> Qrels:
    """The model's grades by query and passage; a pair whose answer held none isn't among them."""
    found: dict[QueryId, dict[PassageId, int]] = {}
    for pair, grade in zip(pairs, grader.grade(pairs, note=note, progress=progress), strict=True):
        if grade is not None:
            found.setdefault(pair.query.id, {})[pair.passage.id] = grade
    return found


def check_free(folder: Path) -> None:
    """Raise SettingsError if the folder has judgments by a model already."""
    for name in FILES:
        if (folder / name).exists():
            raise SettingsError(f"{folder / name} exists already; give another --output, or move it away.")


def write_judgments(folder: Path, qrels: Qrels, queries: Sequence[Query], agreement: ModelAgreement) -> None:
    """Write FILES.

    Raises:
        CorpusError: an id can't stand in a line of fields.
    """
    judged = [query for query in queries if query.id in qrels]
    mark = f"{MODEL}{agreement.model}"
    grades = qrels_lines(judged, qrels, mark=mark)
    for name, lines in ((FILES[0], query_lines(judged)), (FILES[1], grades)):
        write_lines(folder / name, lines)
    record = {
        "source": mark,
        "judgments": len(grades),
        "queries": len(judged),
        "grades": {str(grade): count for grade, count in sorted(counts(qrels).items())},
        "agreement": asdict(agreement),
    }
    atomic.write_json(folder / FILES[2], record)


def counts(qrels: Qrels) -> Mapping[int, int]:
    """How many judgments have each grade."""
    return Counter(grade for grades in qrels.values() for grade in grades.values())
