"""Reads the app's feedback: several raters' grades become one, and no protected query is among them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from indexing.corpus.judged import normalize_query
from indexing.records import QueryId
from indexing.whitespace import squeeze
from training.data.readers.lines import data_lines, identifier, json_record, text
from training.data.readers.passage_lists import Entry, PassageList
from training.example import Skipped
from training.judgments.agreement import agreed

GRADES = (0, 1, 2, 3)
PROTECTED = "protected query"


@dataclass(frozen=True, slots=True)
class Rating:
    """One line: what one rater thinks of one passage."""

    query: str
    query_id: QueryId | None
    passage: str
    grade: int
    rater: str
    protected: bool


@dataclass
class Rated:
    """All that was said about one query."""

    query: str
    query_id: QueryId | None = None
    protected: bool = False
    grades: dict[str, dict[str, int]] = field(default_factory=dict)
    """By passage text and rater."""

    def add(self, rating: Rating) -> None:
        """Take one more line of this query; a rater's later grade replaces the earlier one."""
        self.query_id = self.query_id or rating.query_id
        self.protected |= rating.protected
        self.grades.setdefault(rating.passage, {})[rating.rater] = rating.grade


def feedback_lists(path: Path, *, skipped: Skipped) -> Iterator[PassageList]:
    """The graded passages of each query, in the order in which queries come first. The whole file is read at once.

    Queries are the same that read the same, case, spaces and final punctuation aside. If one line of a query is
    protected, none is used, and `skipped` is told.

    Raises:
        CorpusError: at a line that is none.
    """
    for rated in _rated(path, skipped):
        entries = [Entry(passage, agreed(grades.values())) for passage, grades in rated.grades.items()]
        yield PassageList(rated.query, entries, rated.query_id)


def _rated(path: Path, skipped: Skipped) -> list[Rated]:
    queries: dict[str, Rated] = {}
    for rating in data_lines(path, _rating):
        queries.setdefault(normalize_query(rating.query), Rated(rating.query)).add(rating)
    for rated in queries.values():
        if rated.protected:
            skipped(PROTECTED)
    return [rated for rated in queries.values() if not rated.protected]


def _rating(line: str) -> Rating:
    record = json_record(line)
    grade, protected = record.get("grade"), record.get("protected")
    if type(grade) is not int or grade not in GRADES:
        raise ValueError(f"'grade' is {str(grade)[:40]}, not one of {', '.join(map(str, GRADES))}")
    if not isinstance(protected, bool):
        raise ValueError("'protected' is neither true nor false")
    query_id = identifier(record.get("query_id"), "query_id")
    return Rating(
        query=text(record.get("query"), "query"),
        query_id=None if query_id is None else QueryId(query_id),
        passage=squeeze(text(record.get("passage"), "passage")),
        grade=grade,
        rater=text(record.get("rater"), "rater", blank=True),
        protected=protected,
    )
