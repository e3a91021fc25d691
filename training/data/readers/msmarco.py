"""Streams MS MARCO's training files, tens of gigabytes of them, with one query at a time in memory."""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from indexing.errors import CorpusError
from indexing.index import Index
from indexing.judged.qrels import read_qrels
from indexing.judged.queries import read_queries
from indexing.records import PassageId, QueryId
from training.data.readers.lines import data_lines, split_columns
from training.example import CONTRADICTED, NO_JUDGMENT, NO_PASSAGE, NO_QUERY, Example, OnSkip, ignore
from training.source import Source

COLUMN = re.compile(
    r"#?(query|anchor|question|pos(itive)?|neg(ative)?|passage|q|p|d|doc|pid|qid)([ _-]?(text|id|passage))?s?"
)
"""Names that a header has; a row of nothing but these is none of texts."""


class Triple(NamedTuple):
    """One row: a query, a passage that answers it, and one that doesn't."""

    query_id: QueryId | None
    query: str
    positive: str
    negative: str


class Top1000Line(NamedTuple):
    """One line of a top1000 file."""

    query_id: QueryId
    passage_id: PassageId
    query: str
    passage: str


def triples(source: Source, *, per_query: int, on_skip: OnSkip = ignore) -> Iterator[Example]:
    """Examples of `query TAB positive TAB negative` (triples.train.small.tsv); consecutive rows of a query are joined.

    `on_skip` gets a reason for each row whose negative is a positive of another one in the example, or the reverse.

    Raises:
        CorpusError: a line has other fields, is a header, or holds ids.
    """
    rows = _unnumbered(data_lines(source.path, _triple), source.path)
    return _join(rows, source=source.label(), per_query=per_query, on_skip=on_skip)


def _triple(line: str) -> Triple:
    names = ("query", "positive", "negative")
    texts = split_columns(line, *names)
    if all(text.isdecimal() for text in texts):
        raise ValueError("it holds ids, not texts, so the file is read as qidpidtriples:FILE,queries=FILE")
    if _is_header(texts):
        raise ValueError("it is a header, not a triple")
    return Triple(None, *texts)


def _unnumbered(rows: Iterable[Triple], path: Path) -> Iterator[Triple]:
    """The rows. Raises CorpusError if the first two begin with their numbers, as tables do that pandas writes."""
    first = ""
    for place, row in enumerate(rows):
        if place == 1 and (first, row.query) in (("0", "1"), ("1", "2")):
            raise CorpusError(
                f"{path}: its rows begin with their numbers, {first} and {row.query}, where queries are expected; "
                "write it without them: query TAB positive TAB negative."
            )
        first = row.query
        yield row


def _is_header(fields: Sequence[str]) -> bool:
    """Whether the fields are names of columns."""
    return all(COLUMN.fullmatch(field.lower()) for field in fields)


def id_triples(source: Source, *, index: Index, per_query: int, on_skip: OnSkip) -> Iterator[Example]:
    """Examples of `query id TAB positive's id TAB negative's id` (qidpidtriples.train.full.2.tsv), joined likewise.

    The source's queries are held in memory, and passages are read from the index; `on_skip` gets a reason for each row
    with an unknown id, and for each that contradicts another one as in `triples`.

    Raises:
        CorpusError: a line has other fields, or the queries can't be read.
    """
    names = ("query id", "positive's id", "negative's id")
    texts = {query.id: query.text for query in read_queries(source.file("queries"))}

    def with_texts() -> Iterator[Triple]:
        for key, *passage_ids in data_lines(source.path, partial(_ids, names=names)):
            query_id = QueryId(key)
            if query_id not in texts:
                on_skip(NO_QUERY)
                continue
            try:
                contents = [index.passages.by_id(PassageId(passage_id)).content for passage_id in passage_ids]
            except KeyError:
                on_skip(NO_PASSAGE)
                continue
            yield Triple(query_id, texts[query_id], *contents)

    yield from _join(with_texts(), source=source.label(), per_query=per_query, on_skip=on_skip)


def _ids(line: str, *, names: Sequence[str]) -> list[str]:
    fields = split_columns(line, *names)
    if _is_header(fields):
        raise ValueError("it is a header, not a row of ids")
    return fields


def top1000(source: Source, *, on_skip: OnSkip) -> Iterator[Example]:
    """Examples of `query id TAB passage id TAB query TAB passage` (top1000.dev), one for consecutive lines of a query.

    Passages that aren't judged above 0 count as negatives. A query that reappears later in the file makes another
    example, so first sort a file with interleaved queries (`sort -s -n -k 1,1`). The source's qrels are held in memory;
    `on_skip` gets a reason for each example whose query they lack.

    Raises:
        CorpusError: a line has other fields, or the qrels can't be read.
    """
    judged = read_qrels(source.file("qrels"))
    for query_id, group in groupby(data_lines(source.path, _top1000_line), key=lambda line: line.query_id):
        if query_id not in judged:
            on_skip(NO_JUDGMENT)
            continue
        lines, grades = list(group), judged[query_id]
        _check_texts(source.path, query_id, lines)
        labels = tuple(float(max(grades.get(line.passage_id, 0), 0)) for line in lines)
        passages = tuple(line.passage for line in lines)
        yield Example(source.label(), lines[0].query, passages, labels=labels, query_id=query_id)


def _check_texts(path: Path, query_id: QueryId, lines: Sequence[Top1000Line]) -> None:
    """Raise CorpusError where the lines of one query give an id two texts."""
    texts: dict[PassageId, str] = {}
    for line in lines:
        if line.query != lines[0].query:
            raise CorpusError(
                f"{path}: query {query_id} is {lines[0].query[:60]!r} and {line.query[:60]!r}; give each query an "
                "id of its own."
            )
        if texts.setdefault(line.passage_id, line.passage) != line.passage:
            raise CorpusError(
                f"{path}: query {query_id} has passage {line.passage_id} twice, with different texts; remove one."
            )


def _top1000_line(line: str) -> Top1000Line:
    query_id, passage_id, query, passage = split_columns(line, "query id", "passage id", "query", "passage")
    if _is_header((query_id, passage_id, query, passage)):
        raise ValueError("it is a header, not a row")
    return Top1000Line(QueryId(query_id), PassageId(passage_id), query, passage)


def _join(rows: Iterable[Triple], *, source: str, per_query: int, on_skip: OnSkip) -> Iterator[Example]:
    """Join consecutive rows of one query into examples of at most `per_query` distinct passages."""
    labels: dict[str, float] = {}
    last: Triple | None = None
    for row in rows:
        both = {row.positive, row.negative}
        if last is None or row[:2] != last[:2] or len(labels.keys() | both) > per_query:
            if last is not None:
                yield _example(source, last, labels)
            labels = {}
        if not labels.get(row.positive, 1) or labels.get(row.negative) or row.positive == row.negative:
            on_skip(CONTRADICTED)
        labels[row.positive] = 1
        labels.setdefault(row.negative, 0)
        last = row
    if last is not None:
        yield _example(source, last, labels)


def _example(source: str, row: Triple, labels: dict[str, float]) -> Example:
    return Example(source, row.query, tuple(labels), labels=tuple(labels.values()), query_id=row.query_id)
