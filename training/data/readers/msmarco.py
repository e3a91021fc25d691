"""Streams MS MARCO's training files, tens of gigabytes of them, in the memory of one query."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from indexing.corpus.judged import read_qrels, read_queries
from indexing.index import Index
from indexing.records import PassageId, QueryId
from training.data.readers.lines import columns, data_lines
from training.data.readers.passage_lists import Entry, PassageList
from training.example import NO_JUDGMENT, NO_PASSAGE, NO_QUERY, Skipped


class Triple(NamedTuple):
    """One row: a query, a passage that answers it, and one that doesn't."""

    query_id: QueryId | None
    query: str
    positive: str
    negative: str


class Row(NamedTuple):
    """One line of a top1000 file."""

    query_id: QueryId
    passage_id: PassageId
    query: str
    passage: str


def triples(path: Path, *, per_query: int) -> Iterator[PassageList]:
    """Of `query TAB positive TAB negative` (triples.train.small.tsv), rows of a query that follow each other as one.

    Raises:
        CorpusError: at a line that is none.
    """
    names = ("query", "positive", "negative")
    return _joined(data_lines(path, lambda line: Triple(None, *columns(line, *names))), per_query=per_query)


def id_triples(path: Path, *, queries: Path, index: Index, per_query: int, skipped: Skipped) -> Iterator[PassageList]:
    """Of `query id TAB positive's id TAB negative's id` (qidpidtriples.train.full.2.tsv), joined as `triples` are.

    Queries are held in memory, passages are read from the index; `skipped` is told of each row with an id that
    neither has.

    Raises:
        CorpusError: at a line that is none, or where `queries` can't be read.
    """
    names = ("query id", "positive's id", "negative's id")
    texts = {query.id: query.text for query in read_queries(queries)}

    def spelled() -> Iterator[Triple]:
        for key, *passage_ids in data_lines(path, lambda line: columns(line, *names)):
            query_id = QueryId(key)
            if query_id not in texts:
                skipped(NO_QUERY)
                continue
            try:
                contents = [index.passages.by_id(PassageId(passage_id)).content for passage_id in passage_ids]
            except KeyError:
                skipped(NO_PASSAGE)
                continue
            yield Triple(query_id, texts[query_id], *contents)

    yield from _joined(spelled(), per_query=per_query)


def top1000(path: Path, *, qrels: Path, skipped: Skipped) -> Iterator[PassageList]:
    """Of `query id TAB passage id TAB query TAB passage` (top1000.dev), the lines of a query that follow each other.

    What isn't judged above 0 counts as a negative. Only lines that follow each other are one list: a query that comes
    again later is another one, so a file whose queries are mixed is to be sorted first (`sort -s -n -k 1,1`). Qrels are
    held in memory; `skipped` is told of each list whose query they lack.

    Raises:
        CorpusError: at a line that is none, or where `qrels` can't be read.
    """
    judged = read_qrels(qrels)
    for query_id, rows in groupby(data_lines(path, _row), key=lambda row: row.query_id):
        if query_id not in judged:
            skipped(NO_JUDGMENT)
            continue
        held = list(rows)
        grades = judged[query_id]
        entries = [Entry(row.passage, max(grades.get(row.passage_id, 0), 0)) for row in held]
        yield PassageList(held[0].query, entries, query_id)


def _row(line: str) -> Row:
    query_id, passage_id, query, passage = columns(line, "query id", "passage id", "query", "passage")
    return Row(QueryId(query_id), PassageId(passage_id), query, passage)


def _joined(rows: Iterable[Triple], *, per_query: int) -> Iterator[PassageList]:
    """Rows of one query that follow each other as one list, as long as `per_query` distinct passages hold them."""
    labels: dict[str, float] = {}
    last: Triple | None = None
    for row in rows:
        both = {row.positive, row.negative}
        if last is None or row[:2] != last[:2] or len(labels.keys() | both) > per_query:
            if last is not None:
                yield _listed(last, labels)
            labels = {}
        labels[row.positive] = 1
        labels.setdefault(row.negative, 0)
        last = row
    if last is not None:
        yield _listed(last, labels)


def _listed(row: Triple, labels: dict[str, float]) -> PassageList:
    return PassageList(row.query, [Entry(text, label) for text, label in labels.items()], row.query_id)
