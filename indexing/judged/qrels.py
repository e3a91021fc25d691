"""Reads qrels in TREC's, MS MARCO's and BEIR's forms."""

from pathlib import Path

from indexing.judged.lines import parsed_lines
from indexing.notes import Note, log_note
from indexing.records import PassageId, Qrels, QueryId


def read_qrels(path: Path, *, note: Note = log_note) -> Qrels:
    """Read grades by query and passage, from TREC's four fields or from BEIR's three with a header line."""
    del note

    def parse(line: str) -> tuple[str, str, int] | str:
        fields = line.split()
        if fields == ["query-id", "corpus-id", "score"]:
            return ("", "", 0)  # BEIR's header
        try:
            query, passage, grade = fields if len(fields) == 3 else (fields[0], fields[2], fields[3])
            return query, passage, int(grade)
        except (IndexError, ValueError):
            return "not 'query 0 passage grade' with a whole number for the grade"

    qrels: dict[QueryId, dict[PassageId, int]] = {}
    for query, passage, grade in parsed_lines(path, parse):
        if query:
            qrels.setdefault(QueryId(query), {})[PassageId(passage)] = grade
    return qrels


def default_minimum_grade(qrels: Qrels) -> int:
    """The default lowest grade that counts as relevant: 2 if there are grades above 1, else 1."""
    return 2 if any(grade > 1 for grades in qrels.values() for grade in grades.values()) else 1
