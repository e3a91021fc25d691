"""Judgments of queries named by their texts, as Quepid's are: brought to query ids, and written in that form."""

import csv
import hashlib
import io
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from indexing import atomic
from indexing.errors import CorpusError
from indexing.judged.qrels import Judgments
from indexing.judged.queries import normalize_query
from indexing.notes import Note, counted, shown
from indexing.records import PassageId, Qrels, Query, QueryId
from indexing.whitespace import squeeze

QUEPID = ("query", "docid", "rating")


class Named(NamedTuple):
    """Queries and their judgments by id."""

    queries: list[Query]
    """The given ones, and those that only the judgments name."""
    qrels: Qrels


def name_queries(judgments: Judgments, queries: Sequence[Query], *, path: Path, note: Note) -> Named:
    """Give judgments by text the ids of the queries with these texts, up to case, white space and final punctuation.

    A text that no query has, but that is a query's id, is taken for the id; any other gets an id made of its text, and
    `note` names those.

    Raises:
        CorpusError: two queries have the same text, or two texts of one query have different grades for a passage.
    """
    ids = _Ids(queries, path)
    qrels: dict[QueryId, dict[PassageId, int]] = {}
    made: list[Query] = []
    for text, grades in judgments.grades.items():
        query_id = ids.find(text)
        if query_id is None:
            query_id = id_of_text(text)
            if query_id not in qrels:
                made.append(Query(query_id, text))
        judged = qrels.setdefault(query_id, {})
        for passage, grade in grades.items():
            if judged.setdefault(passage, grade) != grade:
                raise CorpusError(
                    f"{path} has grades {judged[passage]} and {grade} for passage {passage[:80]!r} of query "
                    f"{text[:80]!r}, written in two ways; keep one."
                )
    if made and queries:
        note(
            f"{path}: {counted(len(made), 'judged query is', 'judged queries are')} not among the queries, and judged "
            f"under ids made of their texts: {shown([query.text for query in made])}."
        )
    return Named([*queries, *made], qrels)


def id_of_text(text: str) -> QueryId:
    """An id for a query that has none: the same for the same text up to case, white space and final punctuation."""
    return QueryId(f"text-{hashlib.sha256(normalize_query(text).encode()).hexdigest()[:12]}")


def write_quepid(path: Path, queries: Iterable[Query], qrels: Qrels) -> int:
    """Write judgments as Quepid imports them, `query,docid,rating` by the queries' texts; the number of rows."""
    table = io.StringIO()
    rows = csv.writer(table, lineterminator="\n")
    rows.writerow(QUEPID)
    count = 0
    for query in queries:
        for passage, grade in qrels.get(query.id, {}).items():
            rows.writerow((squeeze(query.text), passage, grade))
            count += 1
    atomic.write_text(path, table.getvalue())
    return count


class _Ids:
    """Ids of queries by their texts."""

    def __init__(self, queries: Sequence[Query], path: Path) -> None:
        self._path = path
        self._known = {query.id for query in queries}
        self._exact: dict[str, list[QueryId]] = defaultdict(list)
        self._normalized: dict[str, list[QueryId]] = defaultdict(list)
        for query in queries:
            self._exact[query.text].append(query.id)
            self._normalized[normalize_query(query.text)].append(query.id)

    def find(self, text: str) -> QueryId | None:
        """The id of the query with a text; None if there is none. Raises CorpusError if there are two."""
        found = self._exact.get(text) or self._normalized.get(normalize_query(text))
        if not found:
            return QueryId(text) if text in self._known else None
        if len(found) > 1:
            raise CorpusError(
                f"{self._path} judges {text[:80]!r}, which is the text of queries {shown(found)}; give judgments by "
                "query id."
            )
        return found[0]
