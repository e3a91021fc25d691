"""Reads tables of tab-separated values, which may have a header row and CSV's quotation marks, and CSV itself.

MS MARCO's collection has neither: a text there may begin with a quotation mark, which belongs to it. DPR's
psgs_w100.tsv has both. Marks are taken for CSV's only where that holds for every line up to the decision, and where a
later line contradicts it is a fault.
"""

import codecs
import csv
import re
from collections.abc import Callable, Generator, Iterator, Sequence
from itertools import chain
from typing import NamedTuple

from indexing.corpus.fields import ID_FIELDS, Fields, RecordFields, find_fields, listed, passed_over
from indexing.corpus.files import READ_ERRORS
from indexing.corpus.lines import EMPTY, Parsed, Values, decoded
from indexing.corpus.remarks import Remarks
from indexing.errors import CorpusError, SettingsError

QUOTED = r'"[^"]*(?:""[^"]*)*"'
RECORD = re.compile(rf'(?:{QUOTED}|[^"\t]*)(?:\t(?:{QUOTED}|[^"\t]*))*')
"""A line of which every value is free of quotation marks, or in marks with those inside doubled."""
VALUE = re.compile(rf'({QUOTED}|[^"\t]*)(?:\t|\Z)')
WORD = re.compile(r"[^\W\d][\w.-]{0,39}")
NAME_LIKE = re.compile(r"[^\W\d][\w .-]{0,39}")
DECIDED_BY = 1_000  # lines with quotation marks
LOOKED_AHEAD = 1 << 20  # bytes
DELIMITERS = (",", ";", "\t", "|")
MIXED_ENDS = "a carriage return (CR) alone stands in it, as line ends of old systems: tr '\\r' '\\n' < FILE > NEW"

UNCLOSED = (
    "a quotation mark opens its last field and isn't closed, as in CSV where a text goes on in the next line: name the "
    "file .csv if it is CSV, or convert it to JSONL"
)


class Columns(NamedTuple):
    """Where a passage's values stand in a row, from 0."""

    id: int
    text: int
    title: int | None
    most: int
    """Values of a row at most."""


class Evidence:
    """What the lines so far say of quotation marks."""

    def __init__(self, *, header: bool) -> None:
        self._header = header
        self.broken = False
        """A mark stands where CSV has none."""
        self._lines = self._quoted_texts = self._needed = self._needless = 0

    def add(self, line: str, text_column: int) -> None:
        """Take a line into account."""
        if '"' not in line:
            self._lines += 1
            return
        if not RECORD.fullmatch(line):
            self.broken = True
            return
        values = VALUE.findall(line)
        self._lines += 1
        self._quoted_texts += text_column < len(values) and values[text_column].startswith('"')
        for value in values:
            if value.startswith('"'):
                needed = '"' in value[1:-1] or "\t" in value
                self._needed += needed
                self._needless += not needed

    def decides_for_csv(self) -> bool:
        """Whether the marks are CSV's: around every text, or around just those values that need them."""
        always = self._lines > 0 and self._quoted_texts == self._lines and (self._header or self._lines > 1)
        return not self.broken and (always or (self._needed > 0 and self._needless == 0))


class TsvReader:
    """Reads lines of tab-separated values."""

    def __init__(self, name: str, fields: Fields, remarks: Remarks, *, limit: int) -> None:
        self._name, self._fields, self._remarks, self._limit = name, fields, remarks, limit
        self._columns: Columns | None = None
        self._header: bytes | None = None
        self._plain_header = b""
        self._longest_header = -1
        """Bytes that the header of a file joined to this one has at most; a longer line needs no closer look."""
        self._csv: bool | None = None
        """Whether quotation marks are CSV's; None while no line has any."""
        self._unquoted = 0
        self._text_characters = self._title_characters = 0
        """Of rows without a header, which don't say which value is the text."""
        self._suspect: list[str] = []
        """The first row, if it was read as a passage but looks like a header row of unknown names."""

    def __call__(self, raw_lines: Iterator[bytes]) -> Iterator[Parsed]:
        """One result a line.

        Raises:
            CorpusError, SettingsError: the header row can't be used.
        """
        first = next(raw_lines, None)
        if first is None:
            return
        self._begin(first)
        evidence = Evidence(header=self._header is not None)
        for line in chain([first], raw_lines):
            if line is self._header:
                yield None
            elif self._csv is None and b'"' in line:
                failure = yield from self._decide(line, raw_lines, evidence)
                if failure is not None:
                    raise failure
            else:
                if self._csv is None:
                    evidence.add("", 0)
                yield self._parse(line)
        if self._title_characters > self._text_characters:
            self._remarks.tell(
                f"{self._name}: the third values, which are titles, are longer than the second ones, which are texts; "
                "if they are meant otherwise, as where rows were numbered, name the columns in a header row (such as "
                "id, title, text)."
            )
        if self._unquoted:
            self._remarks.tell(
                f"{self._name}: the quotation marks of CSV around {self._unquoted:,} values were undone."
            )

    def _begin(self, first: bytes) -> None:
        """Find out whether the first line is a header row."""
        try:
            cells = unquoted(decoded(first, limit=self._limit))
        except ValueError:
            cells = []
        self._columns = header_columns(self._name, cells, self._fields, self._remarks)
        if self._columns is not None:
            self._header, self._plain_header = first, _plain(first)
            self._longest_header = len(codecs.BOM_UTF8) + len(first)
            self._remarks.tell(f"{self._name}:1: the header row {', '.join(cells)[:80]} was left out.")
        elif self._fields != Fields():
            raise SettingsError(
                f"Corpus file {self._name} has no field names in a header row; leave --id-field, --text-field and "
                "--title-field out."
            )
        elif len(cells) > 1 and all(WORD.fullmatch(cell) for cell in cells):
            self._suspect = cells

    def _decide(
        self, line: bytes, raw_lines: Iterator[bytes], evidence: Evidence
    ) -> Generator[Parsed, None, Exception | None]:
        """Look ahead from the first line with a quotation mark, decide whose marks they are, and parse what was read.

        Returns what reading ahead raised, which comes after the lines before.
        """
        ahead, quoted, size = [line], 0, 0
        failure: Exception | None = None
        text_column = self._columns.text if self._columns else 1
        while True:
            text = ahead[-1].decode("utf-8", errors="replace")
            if ahead[-1] != self._header:
                evidence.add(text, text_column)
            quoted, size = quoted + ('"' in text), size + len(text)
            if evidence.broken or quoted >= DECIDED_BY or size >= LOOKED_AHEAD:
                break
            try:
                following = next(raw_lines, None)
            except READ_ERRORS as error:
                failure = error
                break
            if following is None:
                break
            ahead.append(following)
        self._csv = evidence.decides_for_csv()
        yield from map(self._parse, ahead)
        return failure

    def _parse(self, raw: bytes) -> Parsed:
        if len(raw) <= self._longest_header and _plain(raw) == self._plain_header:  # where files were joined
            return None
        try:
            line = decoded(raw, limit=self._limit)
        except ValueError as error:
            return str(error)
        if "\r" in line and "\t" in line[line.index("\r") :]:
            return MIXED_ENDS
        if not line.strip():
            return EMPTY
        cells = self._cells(line)
        return cells if isinstance(cells, str) else self._values(cells)

    def _tell_suspect(self) -> None:
        names, self._suspect = self._suspect, []
        self._remarks.tell(
            f"{self._name}:1: passage {names[0]!r} looks like a header row; if it is one, name its columns: "
            f"--id-field {names[0]} --text-field {names[1]}."
        )

    def _cells(self, line: str) -> list[str] | str:
        if not self._csv or '"' not in line:
            return line.split("\t")
        if not RECORD.fullmatch(line):
            return "a quotation mark in it isn't doubled, though the lines before are in CSV's form"
        self._unquoted += len(re.findall(r'(?:^|\t)"', line))
        return unquoted(line)

    def _values(self, cells: Sequence[str]) -> Parsed:
        columns = self._columns
        if columns is None:
            if self._suspect and cells[0].isdecimal():
                self._tell_suspect()
            if len(cells) not in (2, 3):
                return f"{len(cells)} tab-separated fields, 2 (id, text) or 3 (id, text, title) are wanted"
            values = Values(*cells)
            self._text_characters += len(values.text)
            self._title_characters += len(values.title)
            return values
        if len(cells) < columns.most and cells[-1].startswith('"') and cells[-1].count('"') % 2:
            return UNCLOSED
        return row_values(cells, columns, "tab-separated fields")


def _plain(header: bytes) -> bytes:
    """A header row without what those of several files differ by: a byte-order mark, and the case of letters."""
    return header.removeprefix(codecs.BOM_UTF8).lower()


def _plain_cells(row: Sequence[str]) -> Iterator[str]:
    """The same of a row of CSV, a cell at a time."""
    return (cell.removeprefix("\ufeff").strip().lower() for cell in row)


def row_values(cells: Sequence[str], columns: Columns, what: str) -> Parsed:
    """The values of a row below a header row."""
    if not max(columns.id, columns.text) < len(cells) <= columns.most:
        return f"{len(cells)} {what}, the header row has {columns.most}"
    has_title = columns.title is not None and columns.title < len(cells)
    return Values(cells[columns.id], cells[columns.text], cells[columns.title] if has_title else "")  # type: ignore[index]  # has_title


def unquoted(line: str) -> list[str]:
    """The values of a line in CSV's form, without their marks; of another line what tabs separate."""
    if '"' not in line or not RECORD.fullmatch(line):
        return line.split("\t")
    cells: list[str] = []
    for match in VALUE.finditer(line):
        cells.append(match[1][1:-1].replace('""', '"') if match[1].startswith('"') else match[1])
        if not match[0].endswith("\t"):
            break
    return cells


def header_columns(name: str, cells: Sequence[str], fields: Fields, remarks: Remarks) -> Columns | None:
    """The columns that a header row names; None if the first row is none.

    Raises:
        CorpusError: the row begins like a header, but no column holds a text; or a name stands there twice.
    """
    named = tuple(cell.strip() for cell in cells)
    chosen = find_fields(fields, named)
    if isinstance(chosen, str) and fields == Fields():
        named = tuple(cell.lower() for cell in named)
        chosen = find_fields(fields, named)
    if isinstance(chosen, RecordFields):
        for own in chosen:
            if own and named.count(own) > 1:
                raise CorpusError(f"{name}:1: column {own!r} stands twice in the header row; rename one.")
        remarks.tell_once(passed_over(fields, named))
        title = named.index(chosen.title) if chosen.title else None
        return Columns(named.index(chosen.id), named.index(chosen.text), title, len(named))
    if fields == Fields() and len(named) > 1 and named[0] in ID_FIELDS and all(map(NAME_LIKE.fullmatch, named)):
        raise CorpusError(
            f"{name}:1: the header row names no column of texts ({listed(named)}); name it with --text-field."
        )
    return None


def csv_reader(
    name: str, fields: Fields, remarks: Remarks, *, limit: int
) -> Callable[[Iterator[bytes]], Iterator[Parsed]]:
    """A reader of CSV with a header row, separated by commas, semicolons, tabs or bars.

    Raises:
        CorpusError: there is no header row with an id and a text, or quotation marks don't match.
    """

    def read(raw_lines: Iterator[bytes]) -> Iterator[Parsed]:
        faults: list[str] = []
        text_lines = _csv_lines(raw_lines, faults, limit)
        first = next(text_lines, None)
        if first is None:
            return
        columns, delimiter = _csv_header(name, first, fields, remarks)
        header = list(_plain_cells(next(csv.reader([first], delimiter=delimiter))))
        remarks.tell(f"{name}:1: the header row {first.strip()[:80]} was left out.")
        yield None
        csv.field_size_limit(max(limit, 1 << 17))
        rows, last = csv.reader(text_lines, delimiter=delimiter, strict=True), 0
        while True:
            try:
                row = next(rows, None)
            except csv.Error as error:
                raise CorpusError(
                    f"{name}:{last + 2}: not CSV ({error}); mend it, or convert the file to JSONL."
                ) from error
            if row is None:
                return
            if faults:
                yield faults.pop()
                faults.clear()
            else:
                yield _csv_values(row, columns, header)
            for _ in range(last + 1, rows.line_num):  # further lines of the same row
                yield None
            last = rows.line_num

    return read


def _csv_values(row: Sequence[str], columns: Columns, header: Sequence[str]) -> Parsed:
    """A row's values; None for the header of a file that was joined to this one."""
    if len(row) == len(header) and all(cell == name for cell, name in zip(_plain_cells(row), header, strict=True)):
        return None
    return row_values(row, columns, "values") if row else EMPTY


def _csv_lines(raw_lines: Iterator[bytes], faults: list[str], limit: int) -> Iterator[str]:
    """Lines with their ends; what is wrong with one goes to `faults`, and its place is taken by an empty one."""
    for raw in raw_lines:
        try:
            line = decoded(raw, limit=limit)
        except ValueError as error:
            faults.append(str(error))
            line = ""
        yield line + "\n"


def _cells_of(line: str, delimiter: str) -> list[str]:
    """The values of a row of CSV; none if it can't be one."""
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []


def _csv_header(name: str, first: str, fields: Fields, remarks: Remarks) -> tuple[Columns, str]:
    """The columns of a header row, and what separates them."""
    for delimiter in DELIMITERS:
        try:
            cells = next(csv.reader([first], delimiter=delimiter), [])
        except csv.Error as error:
            if "\r" in first:  # as spreadsheets write it "for Macintosh"
                raise CorpusError(
                    f"{name}:1: the lines end in carriage returns alone; end them as usual: "
                    f"tr '\\r' '\\n' < {name} > NEW.csv"
                ) from error
            cells = []  # a text in place of a header, larger than a field may be
        columns = header_columns(name, cells, fields, remarks) if len(cells) > 1 else None
        if columns is not None:
            return columns, delimiter
    if fields != Fields():
        cells = max((_cells_of(first, delimiter) for delimiter in DELIMITERS), key=len)
        reason = find_fields(fields, tuple(cell.strip() for cell in cells))
        raise CorpusError(f"{name}:1: {reason}; name other columns with --id-field, --text-field and --title-field.")
    raise CorpusError(
        f"{name}:1: no header row that names an id and a text, but {first.strip()[:80]!r}; add one (id,text,title), or "
        "name its columns with --id-field and --text-field."
    )
