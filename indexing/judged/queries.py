"""Reads queries in MS MARCO's, BEIR's and DPR's forms; what looks like another file is refused by name."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from indexing.corpus.mend import mended
from indexing.corpus.remarks import is_missing, is_rewritten
from indexing.errors import CorpusError
from indexing.judged.lines import refuse
from indexing.judged.objects import UNSTORABLE, document, holds_json, id_of, records
from indexing.judged.rows import Names, Row, Table, has_doubled_quotes, unquoted
from indexing.judged.tally import ENCODED_TWICE, MISSING, QUOTED, REPEAT, REWRITTEN, Tally
from indexing.notes import Note, log_note
from indexing.records import Query, QueryId
from indexing.whitespace import bare, squeeze

FORM = "'id TAB text', or a JSON object a line with _id and text"
ID, TEXT = "queries", "text"
NAMES = Names(
    {ID: "id queryid qid topicid", TEXT: "text query question querytext title"},
    needed=(frozenset({ID}), frozenset({TEXT})),
    ids={ID},
)
IDS, TEXTS = ("_id", "id", "query_id", "query-id", "qid"), ("text", "query", "question", "title")
NUMBER_COLON = re.compile(r"\s*[0-9]+\s*:")


class _Found(NamedTuple):
    """One query, before it is known whether its id comes again."""

    key: str
    text: str
    number: int
    line: str


def read_queries(path: Path, *, note: Note = log_note) -> list[Query]:
    """Read queries with their whole texts; `note` gets what was left out or merged.

    The forms are lines of `id TAB text`, a table with a header that names its columns, JSON lines with `_id` or `id`
    and `text` or `query`, and a JSON object {id: text}.

    Raises:
        CorpusError: a line can't be read, or an id has two texts.
    """
    tally = Tally(path)
    queries: dict[str, tuple[str, int]] = {}
    for found in _from_json(path, tally) if holds_json(path) else _from_table(path, tally):
        if problem := _problem(found):
            refuse(path, found.number, problem, found.line, form=FORM)
        text, number = queries.setdefault(found.key, (found.text, found.number))
        if text != found.text:
            problem = f"query {found.key[:80]!r} stands in line {number:,} with another text"
            refuse(path, found.number, problem, found.line, form="one text for each id")
        if number != found.number:
            tally.add(REPEAT, found.number)
        elif is_missing(text):
            tally.add(MISSING, number)
        elif mended(text) is not text:
            tally.add(ENCODED_TWICE, number)
        if is_rewritten(found.key):
            tally.add(REWRITTEN, found.number)
    if not queries:
        raise CorpusError(f"{path} holds no query; give a file with lines of {FORM}.")
    if all(text.isdecimal() and " " in key for key, (text, _) in queries.items()):
        raise CorpusError(f"{path} has numbers where texts are expected, and texts as ids; write {FORM}.")
    tally.tell(note)
    return [Query(QueryId(key), text) for key, (text, _) in queries.items()]


def normalize_query(text: str) -> str:
    """A query in the form used for comparison: lower case, single spaces, no final punctuation."""
    return squeeze(text.lower()).rstrip(" ?.!")


def _problem(found: _Found) -> str:
    if not found.key:
        return "no id"
    if not found.text:
        return "no text"
    return "half a surrogate pair, or a NUL, is escaped in it" if UNSTORABLE.search(found.text) else ""


def _from_table(path: Path, tally: Tally) -> Iterator[_Found]:
    table = Table(path, NAMES, tally, form=FORM)
    for place, row in enumerate(table):
        columns = table.columns or {ID: 0, TEXT: 1}
        if table.columns is None:
            _check(table, row, is_first=not place)
        text = row.fields[columns[TEXT]]
        if table.columns is None and has_doubled_quotes(text):
            text = unquoted(text)
            tally.add(QUOTED, row.number)
        yield _Found(row.fields[columns[ID]], text, row.number, row.text)


def _check(table: Table, row: Row, *, is_first: bool) -> None:
    """Refuse a line that isn't `id TAB text`, by the name of the form that it has."""
    fields, text = row.fields, row.text
    if is_first and text.lstrip().startswith("<"):
        table.refuse(row, "TREC topics (<top>) or other XML, which isn't read; write a line for each topic")
    if "\t" not in text:
        if NUMBER_COLON.match(text):
            table.refuse(row, "'number:text' as in TREC's million-query topics, which has no tab; replace the colon")
        table.refuse(row, "no tab")
    if len(fields) == 2 and " " in fields[0] and fields[1].startswith(("['", '["')) and fields[1].endswith("]"):
        table.refuse(row, "DPR's question and answers, which have no id; put one before each question")
    if len(fields) > 2:
        table.refuse(row, f"{len(fields)} tab-separated fields, where an id and a text are 2")
    if len(fields) < 2:
        table.refuse(row, "no text" if fields else "no id and no text")


def _from_json(path: Path, tally: Tally) -> Iterator[_Found]:
    value = document(path, form=FORM)
    if value is None:
        for record in records(path, form=FORM):
            yield _found(path, record.values, record.number, record.text, tally)
    elif isinstance(value, list):
        for number, entry in enumerate(value, start=1):
            if not isinstance(entry, dict):
                raise CorpusError(f"{path} is JSON of another form ({str(entry)[:80]!r}); give {FORM}.")
            yield _found(path, entry, number, str(entry), tally)
    elif isinstance(value, dict) and all(isinstance(text, str) for text in value.values()):
        for number, (key, text) in enumerate(value.items(), start=1):
            yield _Found(bare(key), text.strip(), number, f"{key}: {text}")
    else:
        raise CorpusError(f"{path} is JSON of another form; give {{id: text}}, or {FORM}.")


def _found(path: Path, values: Mapping[str, object], number: int, line: str, tally: Tally) -> _Found:
    names = [name for name in IDS if values.get(name) is not None]
    if len({id_of(values[name]) for name in names}) > 1:
        for sentence in NAMES.passed_over(names, {ID: 0}):
            tally.say(sentence)
    key = next((id_of(values[name]) for name in IDS if values.get(name) is not None), "")
    text = next((values[name] for name in TEXTS if values.get(name)), None)
    if not key or not isinstance(text, str):
        problem = "no text that is a string" if key else "no id (_id, id, query_id or qid) that is a string or a number"
        refuse(path, number, problem, line, form=FORM)
    return _Found(key, text.strip(), number, line)
