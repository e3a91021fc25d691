"""Lines of files of queries, qrels and runs: decoded, numbered, never empty; other kinds of files are named."""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple, NoReturn

from indexing.corpus.limits import LIMITS
from indexing.errors import CorpusError

BLOCK = 1 << 20  # bytes that are decoded at once
SNIFFED = 65_536  # bytes at a file's beginning that tell what it is
GZIP = b"\x1f\x8b"
FORMS = {
    b"PK\x03\x04": "a .zip archive or a spreadsheet (.xlsx); unpack it, or save it as .csv",
    b"PAR1": "a Parquet file; save it as .tsv or .jsonl",
    b"ARROW1": "an Arrow file; save it as .tsv or .jsonl",
    b"SQLite format 3\0": "an SQLite database; save its table as .tsv",
    b"BZh": "packed by bzip2; unpack it: bunzip2",
    b"\xfd7zXZ\0": "packed by xz; unpack it: unxz",
    b"\x28\xb5\x2f\xfd": "packed by zstd; unpack it: unzstd",
    b"%PDF": "a PDF; save its table as .tsv",
    b"\xff\xfe\0\0": "UTF-32 text; save it as UTF-8: iconv -f UTF-32 -t UTF-8",
    b"\0\0\xfe\xff": "UTF-32 text; save it as UTF-8: iconv -f UTF-32 -t UTF-8",
    b"\xff\xfe": "UTF-16 text; save it as UTF-8: iconv -f UTF-16 -t UTF-8",
    b"\xfe\xff": "UTF-16 text; save it as UTF-8: iconv -f UTF-16 -t UTF-8",
}
"""By a file's first bytes, what it is in place of UTF-8 text, and what to do; a beginning before its own part."""
MARK = "\ufeff"  # of files that were joined, it stands within


class Line(NamedTuple):
    """One line that isn't empty."""

    number: int
    """From 1."""
    text: str
    """Without its end, and without a byte-order mark."""


def text_lines(path: Path) -> Iterator[Line]:
    """Each line that isn't empty, of a plain or gzipped file; only a line feed ends a line.

    Raises:
        CorpusError: it is no file, no UTF-8 text, or has no line; raised where it shows, with the line.
    """
    empty, read = True, 0
    with _stream(path) as stream:
        for block in _blocks(stream):
            texts = _decoded(path, block, first=read + 1).split("\n")
            for number, line in enumerate(texts, start=read + 1):
                text = line.rstrip("\r").removeprefix(MARK)
                if text and not text.isspace():
                    empty = False
                    yield Line(number, text)
            read += len(texts)
    if empty:
        raise CorpusError(f"{path} is empty; give a file that holds lines.")


def refuse(path: Path, number: int, problem: str, text: str, *, form: str) -> NoReturn:
    """Raise CorpusError with the place, what is wrong, how the line begins, and the form that was expected."""
    begins = repr(text[:80]) + (" ..." if len(text) > 80 else "")
    raise CorpusError(f"{path}:{number}: {problem}: {begins}; expected is {form}.")


@contextmanager
def _stream(path: Path) -> Iterator[IO[bytes]]:
    """The file's bytes, unpacked."""
    _check_is_file(path)
    try:
        with path.open("rb") as stream:
            packed = stream.read(len(GZIP)) == GZIP
            stream.seek(0)
            opened: IO[bytes] = gzip.GzipFile(fileobj=stream) if packed else stream  # type: ignore[assignment]  # reads as an IO
            _check_is_text(path, opened.read(SNIFFED))
            opened.seek(0)
            yield opened
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise CorpusError(f"{path} is a broken or cut-off .gz file ({error}); fetch or pack it again.") from None
    except OSError as error:
        raise CorpusError(f"{path} can't be read ({error.strerror}); give a file that you may read.") from error


def _check_is_file(path: Path) -> None:
    try:
        if path.is_dir():
            raise CorpusError(f"{path} is a folder; give a file.")
        if not path.exists():
            raise CorpusError(f"{path} doesn't exist; give a file that does.")
        if not path.is_file():
            raise CorpusError(f"{path} is a pipe or a device; give a file, saved to disk.")
    except OSError as error:
        raise CorpusError(f"{path} can't be read ({error.strerror}); give a file that you may read.") from error


def _check_is_text(path: Path, head: bytes) -> None:
    """Refuse, by name, forms that are no UTF-8 text with line feeds."""
    for beginning, form in FORMS.items():
        if head.startswith(beginning):
            raise CorpusError(f"{path} is {form}.")
    if head[257:262] == b"ustar":
        raise CorpusError(f"{path} is a tar archive; unpack it: tar -xf.")
    for first in (0, 1):
        every_other = head[first::2]
        if every_other.count(0) > max(1, 0.3 * len(every_other)):
            raise CorpusError(f"{path} is UTF-16 text or binary; save it as UTF-8 text: iconv -f UTF-16LE -t UTF-8.")
    if b"\n" not in head and b"\r" in head.rstrip(b"\r"):
        raise CorpusError(f"{path} has the line ends of old Macintosh files (CR alone); save it with line feeds.")


def _blocks(stream: IO[bytes]) -> Iterator[bytes]:
    """Whole lines, many at a time, without the last one's line feed; of a line over the limit only its beginning."""
    rest = b""
    while data := stream.read(BLOCK):
        whole, feed, last = data.rpartition(b"\n")
        if feed:
            yield rest + whole
            rest = last
        else:
            rest += last
        if len(rest) > LIMITS.line:
            break
    if rest:
        yield rest


def _decoded(path: Path, block: bytes, *, first: int) -> str:
    """The text of a block of lines, the first of which has number `first`. Raises CorpusError with the line."""
    text = ""
    try:
        text = block.decode("utf-8")
    except UnicodeDecodeError:
        broken = True
    else:
        broken = "\0" in text or len(block) > LIMITS.line
    if broken:
        for number, line in enumerate(block.split(b"\n"), start=first):
            _check_line(path, number, line)
    return text


def _check_line(path: Path, number: int, line: bytes) -> None:
    """Raise CorpusError if a line is too long or no text."""
    if len(line) > LIMITS.line:
        raise CorpusError(f"{path}:{number}: the line is longer than {LIMITS.line:,} bytes; give a file of lines.")
    if b"\0" in line:
        raise CorpusError(f"{path}:{number}: the line holds a NUL byte; give a file of UTF-8 text.")
    try:
        line.decode("utf-8")
    except UnicodeDecodeError as error:
        meant = line[error.start : error.start + 1].decode("cp1252", "replace")
        raise CorpusError(
            f"{path}:{number}: byte {error.start + 1} of the line is no UTF-8, and would be {meant!r} in Latin-1; "
            "convert the file: iconv -f WINDOWS-1252 -t UTF-8."
        ) from None
