"""Feedback leaves its store in two forms: TREC qrels that keep protected queries apart, and JSONL for training."""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from indexing import atomic
from indexing.errors import CorpusError, SettingsError
from indexing.records import QueryId
from training.judgments.agreement import agreed
from training.judgments.feedback import FeedbackStore, Grade, text_fingerprint


@dataclass(frozen=True)
class Written:
    """What came of an export to JSONL."""

    lines: int
    changed: int
    """Grades left out because the passage reads differently from when it was graded."""
    absent: int
    """Grades left out because the passage is gone from its index."""


def query_ids(grades: Sequence[Grade]) -> dict[str, QueryId]:
    """An id for each normalised query: its own where no other query has that, else one made from its text."""
    own = {grade.normalised: grade.query_id for grade in grades if grade.query_id is not None}
    bearers = Counter(own.values())
    return {
        key: own[key] if key in own and bearers[own[key]] == 1 else _made_id(key)
        for key in (grade.normalised for grade in grades)
    }


def export_qrels(store: FeedbackStore, folder: Path, *, index: str | None = None) -> None:
    """Write queries.tsv, qrels.train.tsv (unprotected queries) and qrels.dev.tsv (protected ones) in TREC's form.

    Where raters differ, the grade is the one that training takes too: the median, halves rounded up.

    Raises:
        SettingsError: no index is named although several have grades.
        CorpusError: an id holds white space.
    """
    grades = store.grades(index)
    indexes = sorted({grade.index for grade in grades})
    if len(indexes) > 1:
        raise SettingsError(
            f"{store.path} holds grades of passages of {', '.join(indexes)}, whose ids can't stand in one qrels file; "
            "name one index."
        )
    ids = query_ids(grades)
    texts = {ids[grade.normalised]: grade.query for grade in grades}
    files = {
        "queries.tsv": [f"{query_id}\t{text}" for query_id, text in texts.items()],
        "qrels.train.tsv": _qrels([grade for grade in grades if not grade.protected], ids),
        "qrels.dev.tsv": _qrels([grade for grade in grades if grade.protected], ids),
    }
    for name, lines in files.items():
        atomic.write_text(folder / name, "".join(line + "\n" for line in lines))


def export_jsonl(
    store: FeedbackStore, path: Path, text: Callable[[str, str], str], *, index: str | None = None
) -> Written:
    """Write a line for each grade with its passage, as `--data feedback:FILE` reads it; protected ones are marked.

    `text` gives a passage's text by index and id, and raises KeyError where it is gone. A grade of a text that
    has changed since is left out.
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
        lines.append(_line(grade, ids[grade.normalised], passage))
    atomic.write_text(path, "".join(line + "\n" for line in lines))
    return Written(len(lines), changed, absent)


def _made_id(normalised_query: str) -> QueryId:
    return QueryId(f"feedback-{hashlib.sha256(normalised_query.encode()).hexdigest()[:12]}")


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


def _qrels(grades: Sequence[Grade], ids: dict[str, QueryId]) -> list[str]:
    """Lines of TREC's four fields, by query and passage in the order of their first grades."""
    given: dict[tuple[str, str], list[int]] = defaultdict(list)
    for grade in grades:
        given[ids[grade.normalised], grade.passage_id].append(grade.grade)
    for name in (name for pair in given for name in pair):
        if name.split() != [name]:
            raise CorpusError(f"Id {name!r} holds white space, which TREC qrels can't; rename it in the corpus.")
    return [f"{query} 0 {passage} {agreed(values)}" for (query, passage), values in given.items()]
