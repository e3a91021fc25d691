"""Exports feedback in two forms: TREC qrels with protected queries in a file of their own, and JSONL for training."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from indexing import atomic
from indexing.catalogue import current_build
from indexing.errors import CorpusError, IndexingError, SettingsError
from indexing.records import PassageId, QueryId
from indexing.store.ids import IdTable
from indexing.store.passages import PassageStore
from training.judgments.agreement import by_query, median_grades
from training.judgments.feedback import FeedbackStore, Grade, text_fingerprint

FEEDBACK_FILE = "feedback.jsonl"
"""Name of the file in a training job's folder that holds the grades it trains on."""


@dataclass(frozen=True)
class ExportedGrades:
    """Result of an export to JSONL."""

    lines: int
    changed: int
    """Grades left out because the passage's text has changed since it was graded."""
    absent: int
    """Grades left out because the passage is no longer in its index."""


def query_ids(grades: Sequence[Grade]) -> dict[str, QueryId]:
    """An id for each normalized query: its own if no other query shares it, else one derived from its text."""
    own = {grade.normalized: grade.query_id for grade in grades if grade.query_id is not None}
    bearers = Counter(own.values())
    return {
        key: own[key] if key in own and bearers[own[key]] == 1 else _derived_id(key)
        for key in (grade.normalized for grade in grades)
    }


def export_qrels(store: FeedbackStore, folder: Path, *, index: str | None = None) -> None:
    """Write queries.tsv, qrels.train.tsv (unprotected queries) and qrels.dev.tsv (protected ones) in TREC's format.

    If raters differ, the grade is the median with halves rounded up, as in training.

    Raises:
        SettingsError: several indexes have grades, but none is named.
        CorpusError: an id contains white space.
    """
    grades = store.grades(index)
    indexes = sorted({grade.index for grade in grades})
    if len(indexes) > 1:
        raise SettingsError(
            f"{store.path} holds grades of passages of {', '.join(indexes)}, whose ids can't share one qrels file; "
            "name one index."
        )
    ids = query_ids(grades)
    texts = {ids[grade.normalized]: grade.query for grade in grades}
    files = {
        "queries.tsv": [f"{query_id}\t{text}" for query_id, text in texts.items()],
        "qrels.train.tsv": _qrels([grade for grade in grades if not grade.protected], ids),
        "qrels.dev.tsv": _qrels([grade for grade in grades if grade.protected], ids),
    }
    for name, lines in files.items():
        atomic.write_text(folder / name, "".join(line + "\n" for line in lines))


def export_jsonl(
    store: FeedbackStore, path: Path, text: Callable[[str, str], str], *, index: str | None = None
) -> ExportedGrades:
    """Write a line for each grade with its passage, for `--data feedback:FILE`; protected queries are marked.

    `text` returns a passage's text by index and id, and raises KeyError if the passage no longer exists. Grades of a
    text that has changed since are left out.
    """
    grades = store.grades(index)
    ids = query_ids(grades)
    lines, changed, absent = [], 0, 0
    for grade in grades:
        try:
            passage = text(grade.index, grade.passage_id)
        except KeyError:
            absent += 1
            continue
        if text_fingerprint(passage) != grade.fingerprint:
            changed += 1
            continue
        lines.append(_line(grade, ids[grade.normalized], passage))
    atomic.write_text(path, "".join(line + "\n" for line in lines))
    return ExportedGrades(len(lines), changed, absent)


def _derived_id(normalized_query: str) -> QueryId:
    return QueryId(f"feedback-{hashlib.sha256(normalized_query.encode()).hexdigest()[:12]}")


def _line(grade: Grade, query_id: QueryId, passage: str) -> str:
    record = {
        "query": grade.query,
        "query_id": query_id,
        "passage_id": grade.passage_id,
        "passage": passage,
        "grade": grade.grade,
        "rater": grade.rater,
        "protected": grade.protected,
        "index": grade.index,
    }
    return json.dumps(record, ensure_ascii=False)


def _qrels(grades: Sequence[Grade], ids: Mapping[str, QueryId]) -> list[str]:
    """Lines of TREC's four fields; queries, and passages within a query, keep the order of their first grades."""
    lines = []
    for key, query_grades in by_query(grades).items():
        for passage_id, grade in median_grades(query_grades, passage=lambda grade: grade.passage_id).items():
            for name in (ids[key], passage_id):
                if name.split() != [name]:
                    raise CorpusError(
                        f"Id {name!r} contains white space, which TREC qrels don't allow; rename it in the corpus."
                    )
            lines.append(f"{ids[key]} 0 {passage_id} {grade}")
    return lines


def write_feedback(store: FeedbackStore, folder: Path, *, root: Path | None = None) -> ExportedGrades:
    """Write all grades whose passages are still in their indexes to `folder`; protected queries are marked.

    Only these passages of an index are read.
    """
    stores: dict[str, PassageStore | None] = {}

    def text(index: str, passage_id: str) -> str:
        if index not in stores:
            stores[index] = _passages(index, root)
        passages = stores[index]
        if passages is None:
            raise KeyError(passage_id)
        return passages.by_id(PassageId(passage_id)).content

    return export_jsonl(store, folder / FEEDBACK_FILE, text)


def _passages(index: str, root: Path | None) -> PassageStore | None:
    """An index's passages; None if the index no longer exists."""
    try:
        build = current_build(index, root=root)
        return PassageStore(build / "passages", IdTable(build / "ids"))
    except (IndexingError, SettingsError, OSError):
        return None
