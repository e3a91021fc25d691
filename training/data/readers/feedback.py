"""Reads exported feedback: several raters' grades become one, and protected queries are left out."""

from collections.abc import Iterator
from pathlib import Path

from indexing.corpus.same_text import text_key
from indexing.judged.queries import normalize_query
from indexing.records import PassageId, QueryId
from indexing.whitespace import squeeze
from training.data.readers.lines import data_lines, identifier, json_record, text
from training.example import CONTRADICTED, PROTECTED, Example, OnSkip
from training.judgments.agreement import disputed, median_grades
from training.judgments.feedback import HIGHEST_GRADE, Grade
from training.source import Source

GRADES = tuple(range(HIGHEST_GRADE + 1))


def feedback_examples(source: Source, *, on_skip: OnSkip) -> Iterator[Example]:
    """The graded passages of each query, in the order of the queries' first lines. The whole file is read at once.

    Queries that say the same, as `text_key` compares, count as one. If one line of a query is protected, none of its
    lines is used, and `on_skip` gets the reason. It also gets one for each passage that is relevant to one rater and
    not to another.

    Raises:
        CorpusError: a line holds no grade.
    """
    by_text: dict[str, list[Grade]] = {}
    for grade in _grades(source.path):
        by_text.setdefault(text_key(grade.query), []).append(grade)
    for grades in by_text.values():
        if any(grade.protected for grade in grades):
            on_skip(PROTECTED)
            continue
        medians = median_grades(grades, passage=_text)
        for _ in disputed(grades, passage=_text):
            on_skip(CONTRADICTED)
        yield Example(
            source.label(),
            grades[0].query,
            tuple(medians),
            labels=tuple(map(float, medians.values())),
            query_id=next((grade.query_id for grade in grades if grade.query_id), None),
        )


def _text(grade: Grade) -> str:
    return grade.text


def _grades(path: Path) -> Iterator[Grade]:
    return data_lines(path, _grade)


def _grade(line: str) -> Grade:
    record = json_record(line)
    grade, protected = record.get("grade"), record.get("protected")
    if type(grade) is not int or grade not in GRADES:
        raise ValueError(f"'grade' is {str(grade)[:40]}, not one of {', '.join(map(str, GRADES))}")
    if not isinstance(protected, bool):
        raise ValueError("'protected' is neither true nor false")
    query = text(record.get("query"), "query")
    query_id = identifier(record.get("query_id"), "query_id")
    return Grade(
        query=query,
        normalized=normalize_query(query),
        query_id=None if query_id is None else QueryId(query_id),
        passage_id=PassageId(str(record.get("passage_id") or "")),
        text=squeeze(text(record.get("passage"), "passage")),
        grade=grade,
        rater=text(record.get("rater"), "rater", blank=True),
        protected=protected,
    )
