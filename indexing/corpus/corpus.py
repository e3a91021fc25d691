"""Reads passages from every supported form of corpus, and names the file and line of what can't be read.

Forms: MS MARCO's `collection.tsv` (id TAB text, or id TAB text TAB title) and JSONL (BEIR's `corpus.jsonl`),
each plain, `.gz` or in a `.tar.gz`; Parquet, one file or a folder of them; a folder of `.txt` files. Lines may
end in CRLF and a file may start with a byte-order mark.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from indexing.corpus.fields import Fields
from indexing.corpus.files import READ_ERRORS, corpus_files, lines, parts
from indexing.corpus.limits import LIMITS, ReadLimits
from indexing.corpus.lines import Chunk, Parsed, line_parser
from indexing.corpus.parquet import parquet_chunks
from indexing.errors import CorpusError, first_line
from indexing.records import Passage
from indexing.store.ids import SeenIds

LINE_OVERHEAD = 200  # bytes of memory per line besides its text


@dataclass
class Corpus:
    """The passages of one file or folder in order, and a record of the lines left out.

    Needs 8 bytes per passage for the ids read so far (briefly 16), and a few megabytes for the current lines.
    """

    path: Path
    skip_bad_lines: bool = False
    fields: Fields = field(default_factory=Fields)
    """Names of the fields in JSON and Parquet."""
    skipped: list[str] = field(default_factory=list)
    """With `skip_bad_lines`, a description of each of the first 1,000 lines left out."""
    skipped_count: int = 0
    """How many lines were left out."""
    limits: ReadLimits = LIMITS

    def __iter__(self) -> Iterator[Passage]:
        """Each passage once; the record of lines left out starts over.

        Raises:
            CorpusError: there is nothing to read at `path`, or a file or its columns can't be read; or, unless
                `skip_bad_lines`, the first line with a field missing, empty or of another kind than text,
                a repeated id, a NUL, bad UTF-8, or over 10 MB.
            SettingsError: a file has an unknown ending, or fields are named for a form that has none.
        """
        self.skipped.clear()
        self.skipped_count = 0
        seen = SeenIds()
        for chunk in _chunks(corpus_files(self.path), self.fields, self.limits):
            repeats = iter(seen.repeats([parsed.id for parsed in chunk.parsed if isinstance(parsed, Passage)]))
            for number, parsed in enumerate(chunk.parsed):
                if isinstance(parsed, str):
                    self._leave_out(f"{chunk.place(number)}: {parsed}")
                elif next(repeats):
                    self._leave_out(f"{chunk.place(number)}: passage id {parsed.id[:80]!r} appeared before")
                else:
                    yield parsed

    def _leave_out(self, fault: str) -> None:
        if not self.skip_bad_lines:
            raise CorpusError(f"{fault}. Mend the line, or leave such lines out with --on-bad-line skip.")
        self.skipped_count += 1
        if len(self.skipped) < self.limits.faults:
            self.skipped.append(fault)


def _chunks(files: Sequence[Path], fields: Fields, limits: ReadLimits) -> Iterator[Chunk]:
    for file in files:
        if file.suffix == ".parquet":
            yield from parquet_chunks(file, fields, limits=limits)
        else:
            try:
                yield from (_text_file if file.suffix == ".txt" else _line_chunks)(file, fields, limits)
            except READ_ERRORS as error:
                raise CorpusError(f"{file} can't be read ({first_line(error)}); fetch or pack it again.") from error


def _text_file(file: Path, fields: Fields, limits: ReadLimits) -> Iterator[Chunk]:
    with file.open("rb") as stream:
        content = stream.read(limits.line + 4)  # the limit, a byte-order mark, and one byte more
    parse = line_parser(str(file), fields, limit=limits.line)
    yield Chunk([parse(content.removeprefix(b"\xef\xbb\xbf"))], lambda _: str(file))


def _line_chunks(file: Path, fields: Fields, limits: ReadLimits) -> Iterator[Chunk]:
    for name, stream in parts(file):
        parse = line_parser(name.removesuffix(".gz"), fields, limit=limits.line)
        yield from _numbered(name, lines(stream, limit=limits.line), parse, chunk_bytes=limits.chunk)


def _numbered(
    name: str, raw_lines: Iterable[bytes], parse: Callable[[bytes], Parsed], *, chunk_bytes: int
) -> Iterator[Chunk]:
    """Chunks of about `chunk_bytes`. If reading fails, the lines read before are yielded before the error is raised."""
    first, size = 1, 0
    parsed: list[Parsed] = []
    try:
        for line in raw_lines:
            parsed.append(parse(line))
            size += len(line) + LINE_OVERHEAD
            if size > chunk_bytes:
                yield Chunk(parsed, partial(_place, name, first))
                first, size, parsed = first + len(parsed), 0, []
    except READ_ERRORS:
        yield Chunk(parsed, partial(_place, name, first))
        raise
    yield Chunk(parsed, partial(_place, name, first))


def _place(name: str, first: int, offset: int) -> str:
    return f"{name}:{first + offset}"
