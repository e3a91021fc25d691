"""Reads a corpus file's lines one at a time, plain or packed; packed files are never unpacked to disk."""

import gzip
import lzma
import re
import tarfile
import time
import zipfile
import zlib
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any, NamedTuple

from indexing.corpus.beginning import check_beginning
from indexing.corpus.limits import LIMITS
from indexing.errors import CorpusError
from indexing.notes import Note, shown, silent_note

ARCHIVES = (".tar.gz", ".tgz", ".zip")
LINE_ENDINGS = (".tsv", ".jsonl", ".ndjson", ".csv")
"""Of the forms that hold a passage a line, or nearly so."""
TABLES = ("collection.tsv", "corpus.jsonl", "collection.jsonl", "corpus.tsv", "collection.csv", "corpus.csv")
JUDGED = re.compile(r"(queries|qrels|topics)([._-][^/]*)?\.(tsv|jsonl|ndjson|csv|parquet|txt)(\.gz)?", re.IGNORECASE)
"""Names of files beside the passages that hold none."""
JUDGED_FOLDERS = {"queries", "qrels", "topics"}
NO_PASSAGES = re.compile(r"(query|qidpidtriples|triples|top\d+|runs?)([._-][^/]*)?\.\w+(\.gz)?", re.IGNORECASE)
"""More such names, which are left out without a word beside a table of a known name."""
ABOUT = re.compile(
    r"((licen[cs]e|copying|readme)([._-][\w.-]*)?|notice|changelog|contributing|authors|citation|requirements)\.txt",
    re.IGNORECASE,
)
"""Names of texts that are about a collection and no part of it."""
FEW = 8  # names that are listed
UNPACK: Mapping[str, str] = {
    ".bz2": "bunzip2 -k",
    ".xz": "xz -dk",
    ".zst": "zstd -d",
    ".7z": "7z x",
    ".rar": "unrar x",
    ".tar": "tar xf",
    ".tbz2": "tar xjf",
    ".txz": "tar xJf",
    ".lz4": "lz4 -dk",
    ".z": "uncompress -k",
}
"""Endings of packed files that aren't read, and what unpacks them."""
READ_ERRORS = (OSError, EOFError, zlib.error, lzma.LZMAError, tarfile.TarError, zipfile.BadZipFile, NotImplementedError)
"""What reading raises if a packed file is cut off or broken."""


class Member(NamedTuple):
    """A file in an archive."""

    name: str
    stream: IO[bytes]
    size: int
    """Bytes, unpacked."""


@dataclass(frozen=True)
class ListedTables:
    """The files of an archive that hold passages."""

    sizes: Mapping[str, int]
    """Unpacked bytes by name, in order."""
    whole: bool
    """Whether the archive was listed to its end."""
    notes: tuple[str, ...] = ()
    """Sentences on tables that are read as one, and on members that aren't read."""


class _TimeUpError(Exception):
    """Ends a listing that takes too long."""


class _TimedGzip(gzip.GzipFile):
    """A packed file that can be read until a moment of the monotonic clock."""

    def __init__(self, file: Path, until: float) -> None:
        super().__init__(file, "rb")
        self._until = until

    def read(self, size: int | None = -1) -> bytes:
        if time.monotonic() > self._until:
            raise _TimeUpError
        return super().read(size)


def check_packing(file: Path) -> None:
    """Raise CorpusError for a packed file that can't be read in place."""
    command = UNPACK.get(file.suffix.lower())
    if command is not None:
        raise CorpusError(f"{file} is packed in a form that isn't read; unpack it ({command} {file}), and give that.")


def may_hold_passages(name: str) -> bool:
    """Whether a file that isn't read may be meant to be, by its name: a table, Parquet or a text."""
    lowered = name.lower().removesuffix(".gz")
    return lowered.endswith((*LINE_ENDINGS, ".parquet", ".txt")) and not any(
        form.fullmatch(name) for form in (JUDGED, NO_PASSAGES, ABOUT)
    )


def parts(file: Path, *, tell: Note = silent_note) -> Iterator[tuple[str, IO[bytes]]]:
    """Name and unpacked bytes of the file, or of each member of an archive that holds passages.

    `tell` gets sentences on an archive's other members, once all is read.

    Raises:
        CorpusError: it is packed in a form that isn't read, holds no text, or text of another encoding than UTF-8.
    """
    check_packing(file)
    name = file.name.lower()
    if name.endswith(ARCHIVES):
        yield from _archive_parts(file, tell)
    elif name.endswith(".gz"):
        with gzip.open(file) as stream:
            check_beginning(str(file), stream.peek(1))
            yield str(file), stream  # type: ignore[misc]  # typeshed doesn't declare GzipFile as an IO, but it reads as one
    else:
        with file.open("rb") as stream:
            check_beginning(str(file), stream.peek(1))
            yield str(file), stream


def lines(stream: IO[bytes], *, limit: int = LIMITS.line) -> Iterator[bytes]:
    """Lines without line endings and byte-order mark; of a line over the limit only a start that is also over it."""
    most = limit + len(b"\r\n")
    mark = b"\xef\xbb\xbf"
    while line := stream.readline(most):
        if len(line) < most or line.endswith(b"\n"):
            yield line.removeprefix(mark).rstrip(b"\r\n")
        else:
            yield line
            while (rest := stream.readline(most)) and not rest.endswith(b"\n"):
                pass
        mark = b""


def list_tables(file: Path, *, seconds: float) -> ListedTables:
    """The members of an archive that `parts` would give, as far as they are listed within so many seconds.

    A zip archive is listed at once; a packed tar archive must be unpacked up to the name of each member.

    Raises CorpusError, where it is listed to its end, if it holds no table or one of several would have to be chosen.
    """
    known, others, unread, whole = dict[str, int](), dict[str, int](), list[str](), True
    try:
        for member in _members(file, until=time.monotonic() + seconds):
            if PurePosixPath(member.name).name in TABLES:
                known[member.name] = member.size
            elif _other_table(member.name):
                others[member.name] = member.size
            if _is_unread(member.name):
                unread.append(member.name)
    except _TimeUpError:
        whole = False
    if whole and not known:
        _check_one(file, list(others))
    tables = known or (others if len(others) == 1 else {})
    return ListedTables(tables, whole, _archive_notes(file, list(known), unread))


@contextmanager
def opened_member(file: Path, name: str) -> Iterator[IO[bytes]]:
    """The unpacked bytes of the member of this name, which the archive must hold."""
    with closing(_members(file)) as members:
        yield next(member.stream for member in members if member.name == name)


def _archive_parts(file: Path, tell: Note) -> Iterator[tuple[str, IO[bytes]]]:
    """The members with a name in `TABLES`, or else the only table that isn't queries or qrels."""
    known, others, unread = list[str](), list[str](), list[str]()
    for name, stream, _ in _members(file):
        path = PurePosixPath(name)
        if path.name in TABLES:
            known.append(name)
            yield _checked(f"{file}/{name}", stream)
        elif _other_table(name):
            others.append(name)
        if _is_unread(name):
            unread.append(name)
    for sentence in _archive_notes(file, known, unread):
        tell(sentence)
    if not known:
        _check_one(file, others)
        yield from (_checked(f"{file}/{name}", stream) for name, stream, _ in _members(file) if name == others[0])


def _is_unread(name: str) -> bool:
    """Whether a member isn't read beside a table of a known name, though it may be meant to be."""
    path = PurePosixPath(name)
    return path.name not in TABLES and path.parent.name not in JUDGED_FOLDERS and may_hold_passages(path.name)


def _archive_notes(file: Path, known: Sequence[str], unread: Sequence[str]) -> tuple[str, ...]:
    """What to tell of an archive with these tables of known names, and these members beside them."""
    notes, read = list[str](), shown(known, most=FEW)
    if len(known) > 1:
        notes.append(f"{file}: {read} are read as one corpus; unpack it, and give one of them to read that alone.")
    if known and unread:
        also = shown(unread, most=FEW)
        notes.append(f"{file} also holds {also}, beside {read}, and it isn't read: unpack it, and give that file.")
    return tuple(notes)


def _other_table(name: str) -> bool:
    """Whether a member is a table of another name than in `TABLES` that may hold passages."""
    path = PurePosixPath(name)
    return name.lower().endswith(LINE_ENDINGS) and not JUDGED.fullmatch(path.name) and path.parent.name != "qrels"


def _check_one(file: Path, others: Sequence[str]) -> None:
    """Raise CorpusError unless an archive without a member of a known name has one other table."""
    if len(others) != 1:
        names = ", ".join(others[:8]) or "no .tsv and no .jsonl"
        raise CorpusError(f"{file} holds none of {', '.join(TABLES)}, but {names}; unpack it, and give one file.")


def _checked(name: str, stream: Any) -> tuple[str, IO[bytes]]:
    check_beginning(name, stream.peek(1))
    return name, stream


def _members(file: Path, *, until: float = float("inf")) -> Generator[Member, None, None]:
    """Each file of an archive in turn, without those that systems add; `until` is a moment of the monotonic clock."""
    for member in _zip_members(file) if file.name.lower().endswith(".zip") else _tar_members(file, until):
        if not any(part.startswith(".") or part == "__MACOSX" for part in PurePosixPath(member.name).parts):
            yield member


def _tar_members(file: Path, until: float) -> Iterator[Member]:
    """Stream each file; reading to the end also checks the checksum of the whole."""
    with _TimedGzip(file, until) as packed:
        with tarfile.open(fileobj=packed, mode="r|") as archive:
            for member in archive:
                stream = archive.extractfile(member) if member.isfile() else None
                if stream is not None:
                    yield Member(member.name.removeprefix("./"), stream, member.size)
        while packed.read(1 << 20):
            pass


def _zip_members(file: Path) -> Iterator[Member]:
    with zipfile.ZipFile(file) as archive:
        for member in archive.infolist():
            if member.flag_bits & 1:
                raise CorpusError(f"{file} is locked by a password; unpack it, and give the corpus inside.")
            if not member.is_dir():
                with archive.open(member) as stream:
                    yield Member(member.filename, stream, member.file_size)
