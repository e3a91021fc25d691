"""Rows of tables in text: fields by tabs, blanks or CSV, with the header that says what each column holds."""

import csv
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import NamedTuple, NoReturn

from indexing.errors import CorpusError
from indexing.judged.lines import Line, refuse, text_lines
from indexing.judged.tally import COMMENT, HEADER, QUOTED, Tally
from indexing.whitespace import bare

QUOTES = re.compile(r'"(?:[^"]|"")*"')
DELIMITERS = ",;\t"

Columns = Mapping[str, int]
"""By what a column holds, its place from 0."""


class Row(NamedTuple):
    """One line's fields, without white space at their ends, nor what nobody sees there."""

    number: int
    fields: list[str]
    text: str
    """The line as it stands in the file."""


class Names:
    """The names that headers give to the columns of one kind of file."""

    def __init__(
        self,
        columns: Mapping[str, str],
        *,
        needed: Sequence[frozenset[str]],
        alone: Collection[str] = (),
        ids: Collection[str] = (),
    ) -> None:
        """`columns` holds the known names of each column, separated by blanks, the most telling first.

        A header has a column of each set in `needed`, and one name at most of each column in `alone`; where it has
        others of a column in `ids`, that is told.
        """
        self._ids = ids
        self._alone = alone
        self._columns = {column: names.split() for column, names in columns.items()}
        self._known = {name for known in self._columns.values() for name in known}
        self._needed = needed

    def may_be(self, fields: Sequence[str]) -> bool:
        """Whether the first field is a known name: cheap, and true for every header without further columns before."""
        return _plain(fields[0]) in self._known

    def columns(self, fields: Sequence[str]) -> Columns | None:
        """The columns that a header names; None if the fields are no header."""
        plain = [_plain(field) for field in fields]
        found = {
            column: plain.index(name)
            for column, names in self._columns.items()
            for name in [next((name for name in names if name in plain), None)]
            if name is not None
        }
        return found if all(found.keys() & one for one in self._needed) else None

    def passed_over(self, fields: Sequence[str], columns: Columns) -> list[str]:
        """A sentence for each column in `ids` for which a header has other known names too."""
        sentences = []
        for column, place in columns.items():
            known = self._columns[column] if column in self._ids else ()
            others = [field for other, field in enumerate(fields) if other != place and _plain(field) in known]
            if others:
                sentences.append(
                    f"the ids of {column} are taken from {fields[place]!r}, and not from "
                    f"{' or '.join(map(repr, others))}; remove what isn't meant."
                )
        return sentences

    def rivals(self, fields: Sequence[str], columns: Columns) -> list[str]:
        """Names in a header of which only one can be meant: one that stands twice, or two for a column in `alone`."""
        plain = [_plain(field) for field in fields]
        for column, place in columns.items():
            known = self._columns[column] if column in self._alone else [plain[place]]
            if sum(name in known for name in plain) > 1:
                return [field for field, name in zip(fields, plain, strict=True) if name in known]
        return []


def fields_of(text: str) -> list[str]:
    """The fields of a line: split at tabs where it has any, else at blanks. Empty fields at its end don't count."""
    if "\t" not in text:
        if text.isascii():
            return text.split()
        return [field for part in text.split(" ") if (field := bare(part))]
    fields = [bare(field) for field in text.split("\t")]
    while fields and not fields[-1]:
        fields.pop()
    return fields


class Table:
    """The rows of one file, read once: comments and headers are left out and counted."""

    def __init__(self, path: Path, names: Names, tally: Tally, *, form: str) -> None:
        self.path = path
        self.columns: Columns | None = None
        """What the header says; None without one. Known when the first row is given."""
        self.width = 0
        """Columns of the header; 0 without one."""
        self._names, self._tally, self._form = names, tally, form

    def refuse(self, row: Row, problem: str) -> NoReturn:
        """Raise CorpusError for a row."""
        refuse(self.path, row.number, problem, row.text, form=self._form)

    def __iter__(self) -> Iterator[Row]:
        lines = text_lines(self.path)
        plain = self._without_comments(lines)
        first = next(plain, None)
        if first is None:
            raise CorpusError(f"{self.path} holds nothing but comments; give a file that holds {self._form}.")
        delimiter = self._delimiter(first)
        rows = self._of_csv(chain([first], lines), delimiter) if delimiter else self._of_lines(chain([first], plain))
        yield from self._by_header(rows)

    def _without_comments(self, lines: Iterable[Line]) -> Iterator[Line]:
        for line in lines:
            if line.text.lstrip().startswith("#"):
                self._tally.add(COMMENT, line.number)
            else:
                yield line

    def _delimiter(self, first: Line) -> str:
        """What separates the columns of CSV; empty for a file that is no CSV."""
        named = self.path.name.removesuffix(".gz").lower().endswith(".csv")
        for delimiter in DELIMITERS if named else DELIMITERS.replace("\t", ""):
            if delimiter in first.text and self._names.columns(_cells(first.text, delimiter)):
                return delimiter
        if named:
            refuse(self.path, first.number, "the first line names no known columns", first.text, form=self._form)
        return ""

    def _of_lines(self, lines: Iterable[Line]) -> Iterator[Row]:
        for number, text in lines:
            fields = fields_of(text)
            if '"' in text and (self.columns or _quoted(fields[0])):
                plain = [unquoted(field) if _quoted(field) else field for field in fields]
                if plain != fields and self._names.columns(plain) is None:
                    self._tally.add(QUOTED, number)
                fields = plain
            yield Row(number, fields, text)

    def _of_csv(self, lines: Iterable[Line], delimiter: str) -> Iterator[Row]:
        last = Line(0, "")

        def texts() -> Iterator[str]:
            nonlocal last
            for last in lines:
                yield last.text + "\n"

        try:
            for fields in csv.reader(texts(), delimiter=delimiter, strict=True):
                if len(fields) == 1 and fields[0].lstrip().startswith("#"):
                    self._tally.add(COMMENT, last.number)
                else:
                    yield Row(last.number, [bare(field) for field in fields], last.text)
        except csv.Error as error:
            refuse(self.path, last.number, f"no CSV ({error})", last.text, form=self._form)

    def _by_header(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Rows without headers; a header within, as where files were joined, must be the same."""
        first: list[str] = []
        for place, row in enumerate(rows):
            columns = None
            if not place or (row.fields[0][:1].isalpha() and self._names.may_be(row.fields)):
                columns = self._names.columns(row.fields)
            if columns is None:
                yield row if len(row.fields) == self.width else self._padded(row)
                continue
            if place and row.fields != first:
                self.refuse(row, "a header within the file that its first line doesn't have")
            if rivals := self._names.rivals(row.fields, columns):
                self.refuse(row, f"the header's columns {' and '.join(rivals)} may be meant for the same: keep one")
            for sentence in self._names.passed_over(row.fields, columns):
                self._tally.say(sentence)
            first = row.fields
            self.columns, self.width = columns, len(row.fields)
            self._tally.add(HEADER, row.number)

    def _padded(self, row: Row) -> Row:
        """A row with as many fields as the header has: empty ones at a line's end are there if its tabs are."""
        if not self.width:
            return row
        if not len(row.fields) < self.width <= row.text.count("\t") + 1:
            self.refuse(row, f"{len(row.fields)} fields, where the header has {self.width}")
        return row._replace(fields=row.fields + [""] * (self.width - len(row.fields)))


def _cells(line: str, delimiter: str) -> list[str]:
    """The fields of a line of CSV; none if it can't be one."""
    try:
        return next(csv.reader([line], delimiter=delimiter))
    except csv.Error:
        return []


def _plain(name: str) -> str:
    """A column's name without what its spellings differ by."""
    return name.replace("_", "").replace("-", "").replace(" ", "").lower()


def _quoted(field: str) -> bool:
    return len(field) > 1 and QUOTES.fullmatch(field) is not None


def unquoted(field: str) -> str:
    """A field without CSV's quotes around and within it."""
    return bare(field[1:-1].replace('""', '"'))


def has_doubled_quotes(field: str) -> bool:
    """Whether a field can only be one in CSV's quotes: it has others, doubled, within."""
    return _quoted(field) and '""' in field[1:-1]
