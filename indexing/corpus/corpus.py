"""Reads passages from every supported form of corpus, and names the file and line of what can't be read.

Forms: MS MARCO's `collection.tsv` (id TAB text, or id TAB text TAB title, or columns named by a header row), JSONL
(BEIR's `corpus.jsonl`) and CSV with a header row, each plain, `.gz` or in a `.tar.gz` or `.zip`; Parquet, one file or
a folder of them; a folder of `.txt` files. Lines may end in CRLF and a file may start with a byte-order mark.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from indexing.corpus.beginning import holds_many
from indexing.corpus.fields import Fields
from indexing.corpus.files import READ_ERRORS, lines, parts
from indexing.corpus.folder import find_corpus
from indexing.corpus.limits import LIMITS, ReadLimits
from indexing.corpus.lines import Chunk, Parsed, iterate, json_parser, passage, text_parser
from indexing.corpus.parquet import parquet_chunks
from indexing.corpus.remarks import Remarks
from indexing.corpus.table import TsvReader, csv_reader
from indexing.errors import CorpusError, SettingsError, first_line
from indexing.records import Passage
from indexing.store.ids import SeenIds

LINE_OVERHEAD = 200  # bytes of memory per line besides its text
LineReader = Callable[[Iterator[bytes]], Iterator[Parsed]]


@dataclass
class Corpus:
    """The passages of one file or folder in order, and a record of the lines left out.

    Needs 8 bytes per passage for the ids read so far (briefly 16), and a few megabytes for the current lines.
    """

    path: Path
    skip_bad_lines: bool = False
    fields: Fields = field(default_factory=Fields)
    """Names of the fields in JSON and Parquet, and of the columns in a table with a header row."""
    skipped: list[str] = field(default_factory=list)
    """With `skip_bad_lines`, a description of each of the first 1,000 lines left out."""
    skipped_count: int = 0
    """How many lines were left out."""
    limits: ReadLimits = LIMITS
    mend: bool = True
    """Whether texts that were encoded twice are read as they were meant."""
    notes: tuple[str, ...] = ()
    """Once all is read, sentences on what was left out, undone or looks wrong."""

    def __iter__(self) -> Iterator[Passage]:
        """Each passage once; the records of lines left out and of notes start over.

        Raises:
            CorpusError: there is nothing to read at `path`, or a file or its columns can't be read; or, unless
                `skip_bad_lines`, the first line with a field missing, empty or of another kind than text,
                a repeated id, a NUL, bad UTF-8, or over 10 MB.
            SettingsError: a file has an unknown ending, or fields are named for a form that has none.
        """
        self.skipped.clear()
        self.skipped_count, self.notes = 0, ()
        seen, found = SeenIds(), find_corpus(self.path)
        remarks = Remarks(mend=self.mend, told=list(found.notes))
        for chunk in _chunks(found.files, self.fields, self.limits, remarks):
            parsed = [passage(entry, remarks) if isinstance(entry, tuple) else entry for entry in chunk.parsed]
            ids = [entry.id for entry in parsed if isinstance(entry, Passage)]
            repeats = iter(seen.repeats(ids))
            remarks.compare(ids)
            for number, entry in enumerate(parsed):
                if isinstance(entry, str):
                    self._leave_out(f"{chunk.place(number)}: {entry}")
                elif entry is not None and next(repeats):
                    self._leave_out(f"{chunk.place(number)}: passage id {entry.id[:80]!r} appeared before")
                elif entry is not None:
                    yield entry
        self.notes = remarks.sentences()

    def _leave_out(self, fault: str) -> None:
        if not self.skip_bad_lines:
            raise CorpusError(f"{fault}. Mend the line, or leave such lines out with --on-bad-line skip.")
        self.skipped_count += 1
        if len(self.skipped) < self.limits.faults:
            self.skipped.append(fault)


def _chunks(files: Sequence[Path], fields: Fields, limits: ReadLimits, remarks: Remarks) -> Iterator[Chunk]:
    for file in files:
        try:
            before = _state(file)
            if file.suffix.lower() == ".parquet":
                yield from parquet_chunks(file, fields, tell=remarks.tell_once, limits=limits)
            elif file.suffix.lower() == ".txt":
                yield _text_file(file, fields, limits, remarks, alone=len(files) == 1)
            else:
                yield from _line_chunks(file, fields, limits, remarks)
            if _state(file) != before:
                raise CorpusError(f"{file} changed while it was read; wait until it is complete, and start again.")
        except READ_ERRORS as error:
            raise CorpusError(f"{file} can't be read ({first_line(error)}); fetch or pack it again.") from error


def _state(file: Path) -> tuple[int, int]:
    state = file.stat()
    return state.st_size, state.st_mtime_ns


def _text_file(file: Path, fields: Fields, limits: ReadLimits, remarks: Remarks, *, alone: bool) -> Chunk:
    _check_no_fields(str(file), fields)
    for _, stream in parts(file):
        content = stream.read(limits.line + 4)  # the limit, a byte-order mark, and one byte more
    if many := holds_many(content):
        if alone:
            raise CorpusError(f"{file} would be read as one passage, but it holds {many}.")
        remarks.tell(f"{file} is read as one passage, though it holds {many}.")
    parse = text_parser(str(file), limit=limits.line)
    return Chunk([parse(content.removeprefix(b"\xef\xbb\xbf"))], lambda _: str(file))


def _line_chunks(file: Path, fields: Fields, limits: ReadLimits, remarks: Remarks) -> Iterator[Chunk]:
    for name, stream in parts(file, tell=remarks.tell):
        read = line_reader(name, fields, remarks, limit=limits.line)
        yield from _numbered(name, read(lines(stream, limit=limits.line)), chunk_bytes=limits.chunk)


def line_reader(name: str, fields: Fields, remarks: Remarks, *, limit: int = LIMITS.line) -> LineReader:
    """What reads the lines of a file, chosen by its name; it gives one result a line.

    Raises:
        SettingsError: the file has an unknown ending.
    """
    lowered = name.lower().removesuffix(".gz")
    if lowered.endswith((".jsonl", ".ndjson")):
        return iterate(json_parser(fields, tell=remarks.tell_once, limit=limit))
    if lowered.endswith(".tsv"):
        return TsvReader(name, fields, remarks, limit=limit)
    if lowered.endswith(".csv"):
        return csv_reader(name, fields, remarks, limit=limit)
    if lowered.endswith(".json"):
        raise SettingsError(
            f"Corpus file {name} is JSON, which is read as .jsonl, an object a line: rename it if that is what it "
            f"holds, or write its array so: jq -c '.[]' {name} > {name}l"
        )
    raise SettingsError(
        f"Corpus file {name} ends in neither .tsv, .jsonl, .csv, .parquet nor .txt; rename or convert it."
    )


def _check_no_fields(name: str, fields: Fields) -> None:
    if fields != Fields():
        raise SettingsError(
            f"Corpus file {name} has no field names; leave --id-field, --text-field and --title-field out."
        )


def _numbered(name: str, entries: Iterable[Parsed], *, chunk_bytes: int) -> Iterator[Chunk]:
    """Chunks of about `chunk_bytes`. If reading fails, the lines read before are yielded before the error is raised."""
    first, size = 1, 0
    parsed: list[Parsed] = []
    try:
        for entry in entries:
            parsed.append(entry)
            size += (sum(map(len, entry)) if isinstance(entry, tuple) else 0) + LINE_OVERHEAD
            if size > chunk_bytes:
                yield Chunk(parsed, partial(_place, name, first))
                first, size, parsed = first + len(parsed), 0, []
    except READ_ERRORS:
        yield Chunk(parsed, partial(_place, name, first))
        raise
    yield Chunk(parsed, partial(_place, name, first))


def _place(name: str, first: int, offset: int) -> str:
    return f"{name}:{first + offset}"
