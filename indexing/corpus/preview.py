"""Reads the beginning of a corpus file: a few passages as they will be read, and about how many the file holds."""

import gzip
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq

from indexing.corpus.corpus import Corpus
from indexing.corpus.fields import Fields
from indexing.corpus.files import READ_ERRORS
from indexing.corpus.limits import LIMITS
from indexing.corpus.parquet import batch_rows
from indexing.corpus.upload import SHOWN, STORED, check_file_name, ending
from indexing.errors import CorpusError, SecondLookError, first_line
from indexing.records import Passage

BEGINNING = 1 << 20  # bytes that are read of a file, unpacked, and then to the end of the line
ROWS = 1_000  # that are read of a Parquet file, or fewer where they are long
SAMPLED = 64  # passages that are kept to measure by
PACKED = 1_024  # bytes of a packed file that are unpacked at once


class _ShortReads:
    """A file that is read a little at a time, so that its position tells how much of it was unpacked."""

    def __init__(self, content: IO[bytes]) -> None:
        self._content = content

    def read(self, size: int = -1, /) -> bytes:
        return self._content.read(min(size, PACKED) if size >= 0 else PACKED)

    def seek(self, position: int, /) -> object:
        return self._content.seek(position)


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What the beginning of a corpus says of it."""

    first: tuple[Passage, ...]
    """A few passages, as they were read: the first ones, or those of several files."""
    sample: tuple[Passage, ...] = ()
    """More of them, at most SAMPLED, to measure by."""
    passages: int
    """How many it holds: exactly if all was read, else in proportion to what was read."""
    text_bytes: int
    """Bytes in UTF-8 of their ids, titles and texts, likewise."""
    whole: bool
    """Whether all was read."""
    faults: tuple[str, ...] = ()
    """What is wrong with each line so far that can't be read, with file and line and without a full stop."""
    notes: tuple[str, ...] = ()
    """Sentences on what was left out, undone or looks wrong so far."""
    files: int = 1
    """How many files hold its passages."""
    looked: int = 1
    """How many of them the first passages are from."""


def preview(file_name: str, content: IO[bytes], *, size: int, fields: Fields | None = None) -> Preview:
    """What the beginning of a file says, whose bytes `content` holds; `size` is their number.

    Sentences name the file as `file_name`, whose ending tells its form. No copy of it stays on disk.

    Raises:
        CorpusError: the file can't be read, or its beginning holds neither a passage nor a line that is at fault.
        SettingsError: fields are named for a form that has none, or the name has an ending that no corpus has.
    """
    check_file_name(file_name)
    content.seek(0)
    stored = STORED[ending(file_name)].removesuffix(".gz")

    def copy(path: Path) -> float:
        if path.suffix == ".parquet":
            return _copy_rows(content, path)
        return copy_lines(content, path, size=size, packed=ending(file_name).endswith(".gz"))

    return preview_copy(file_name, copy, stored=stored, fields=fields)


def preview_copy(name: str, copy: Callable[[Path], float], *, stored: str, fields: Fields | None = None) -> Preview:
    """What the beginning of a file says, which `copy` writes to a path that it is given; its result is the share that
    this is of the file, from 0 to 1. `stored` is the name of the copy, and sentences call it `name`.

    Raises what `preview` raises of a file.
    """
    with tempfile.TemporaryDirectory(prefix="second-look-preview-") as folder:
        path = Path(folder) / stored
        try:
            found = _read(path, fields or Fields(), copy(path))
        except SecondLookError as error:  # the message is to name the user's file, not the copy
            raise type(error)(str(error).replace(str(path), name)) from error
        except (*READ_ERRORS, UnicodeDecodeError, pa.ArrowException) as error:
            raise CorpusError(f"{name} can't be read ({first_line(error)}); write or pack it again.") from error
    return replace(
        found,
        faults=tuple(fault.replace(str(path), name) for fault in found.faults),
        notes=tuple(note.replace(str(path), name) for note in found.notes),
    )


def copy_lines(content: IO[bytes], path: Path, *, size: int, packed: bool) -> float:
    """Write a file's first lines, unpacked, to `path`; the share of the file that they are, from 0 to 1."""
    stream: IO[bytes] = gzip.GzipFile(fileobj=_ShortReads(content)) if packed else content  # type: ignore[assignment]  # reads as an IO
    text = stream.read(BEGINNING)
    if len(text) == BEGINNING:
        text += stream.readline(LIMITS.line)
        if path.suffix == ".csv":
            text += _rest_of_record(stream, text)
    if not stream.read(1):
        path.write_bytes(text)
        return 1.0
    read = content.tell() if packed else len(text)
    kept = _whole_records(text) if path.suffix == ".csv" else text
    path.write_bytes(kept)
    return read / max(size, read + 1) * len(kept) / len(text)


def _rest_of_record(stream: IO[bytes], text: bytes) -> bytes:
    """Further lines of a CSV file, up to where a record ends that `text` only begins; at most as long as a line."""
    quotes, room, lines = text.count(b'"'), LIMITS.line, list[bytes]()
    while quotes % 2 and room > 0 and (line := stream.readline(room)):
        quotes += line.count(b'"')
        room -= len(line)
        lines.append(line)
    return b"".join(lines)


def _whole_records(text: bytes) -> bytes:
    """The beginning of a CSV file without a record at its end that goes on in the next line."""
    quotes, end = text.count(b'"'), len(text)
    while quotes % 2 and end > 0:
        line = text.rfind(b"\n", 0, end - 1) + 1
        quotes -= text.count(b'"', line, end)
        end = line
    return text[:end] or text


def _copy_rows(content: IO[bytes], path: Path) -> float:
    """Write a Parquet file's first rows to `path`; the share of the file that they are, from 0 to 1."""
    with pq.ParquetFile(content) as source:
        rows = source.metadata.num_rows
        batch = next(source.iter_batches(min(ROWS, batch_rows(source.metadata))), None)
        table = pa.Table.from_batches([] if batch is None else [batch], source.schema_arrow)
    pq.write_table(table, path)
    return table.num_rows / rows if rows else 1.0


def _read(path: Path, fields: Fields, share: float) -> Preview:
    """Read the copy of a beginning, which is this share of the whole file."""
    corpus = Corpus(path, skip_bad_lines=True, fields=fields)
    sample: list[Passage] = []
    count = size = faults = 0
    for passage in corpus:
        if len(sample) < SAMPLED:
            sample.append(passage)
        count += 1
        size += len(f"{passage.id}{passage.title}{passage.text}".encode())
        faults = len(corpus.skipped)
    if not count and not corpus.skipped:
        raise CorpusError(f"{path} holds no passage that can be read; give a file that does.")
    return Preview(
        first=tuple(sample[:SHOWN]),
        sample=tuple(sample),
        passages=round(count / share),
        text_bytes=round(size / share),
        whole=share == 1.0,
        # of a part, what is wrong after its last passage may be wrong only because it is a part
        faults=tuple(corpus.skipped if share == 1.0 or not count else corpus.skipped[:faults]),
        notes=corpus.notes,
    )
