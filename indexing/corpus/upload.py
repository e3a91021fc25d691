"""Stores an uploaded corpus in the folder of all corpora, once it has been read to the end: whole or not at all."""

import errno
import gzip
import os
import re
from collections.abc import Container, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from indexing import atomic, places
from indexing.corpus.corpus import Corpus
from indexing.corpus.fields import Fields
from indexing.corpus.files import READ_ERRORS
from indexing.errors import CorpusError, SecondLookError, SettingsError, first_line
from indexing.names import NAME
from indexing.records import Passage

STORED: Mapping[str, str] = {
    ".tsv": "collection.tsv",
    ".tsv.gz": "collection.tsv.gz",
    ".jsonl": "corpus.jsonl",
    ".jsonl.gz": "corpus.jsonl.gz",
    ".csv": "collection.csv",
    ".csv.gz": "collection.csv.gz",
    ".parquet": "collection.parquet",
}
"""The endings that an upload may have, and the name under which each is stored."""
LIMIT = 200  # megabytes
MEGABYTE = 1 << 20
UNPACKED = 10  # times the limit: the most that an upload may unpack to
SHOWN = 3  # passages that are given back as they were read
PIECE = 1 << 20  # bytes copied at once
GZIP = b"\x1f\x8b"


@dataclass(frozen=True)
class Upload:
    """A file that a user sends, and how to store it."""

    file_name: str
    """The file's name on the user's machine; used only for its ending and in messages."""
    name: str
    """The name of its folder, in the folder of all corpora."""
    limit: int = LIMIT
    """Most megabytes that it may have."""
    fields: Fields = field(default_factory=Fields)
    skip_bad_lines: bool = False

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise SettingsError(
                f"Corpus name {self.name[:80]!r} must be letters, digits, '.', '_' or '-', at most 64 of them, "
                "the first a letter or a digit."
            )
        check_file_name(self.file_name)


@dataclass(frozen=True, kw_only=True)
class StoredUpload:
    """An upload that was stored."""

    folder: Path
    passages: int
    left_out: int
    """Lines that couldn't be read."""
    notes: tuple[str, ...] = ()
    """Sentences on the corpus as it was read, without its path."""
    first: tuple[Passage, ...] = ()
    """A few passages as they were read."""


def limit() -> int:
    """Megabytes that an upload may have: SECOND_LOOK_UPLOAD_MB or 200. Raises SettingsError for any other value."""
    megabytes = os.environ.get("SECOND_LOOK_UPLOAD_MB") or str(LIMIT)
    if not re.fullmatch(r"0*[1-9][0-9]{0,5}", megabytes, re.ASCII):
        raise SettingsError(
            f"SECOND_LOOK_UPLOAD_MB is {megabytes[:40]!r}; give a whole number of megabytes, 1 or more."
        )
    return int(megabytes)


def ending(file_name: str) -> str:
    """The lower-case ending of a file's name, which tells its form: `.tsv`, or `.tsv.gz`."""
    suffixes = [suffix.lower() for suffix in Path(file_name).suffixes]
    return "".join(suffixes[-2:] if suffixes[-1:] == [".gz"] else suffixes[-1:])


def check_file_name(file_name: str) -> None:
    """Raise SettingsError for a file whose name has a path in it, or an ending that no upload may have."""
    if re.search(r"[/\\\0]", file_name) or ending(file_name) not in STORED:
        raise SettingsError(
            f"An upload called {file_name[:80]!r} isn't taken; give a file whose name ends in {', '.join(STORED)}."
        )


def check_upload_size(name: str, size: int, *, limit: int, elsewhere: Path) -> None:
    """Raise CorpusError for a file of more than `limit` megabytes; `elsewhere` is the folder on the server for it."""
    if size > limit * MEGABYTE:
        raise CorpusError(
            f"{name} has more than {limit} MB, which is the most for an upload. "
            f"Split it, or have it put below {elsewhere} on the server."
        )


def suggested_name(file_name: str) -> str:
    """A folder name for an upload: the file's name without its ending and without unsuitable characters."""
    stem = file_name[: len(file_name) - len(ending(file_name))]
    return re.sub(r"[^A-Za-z0-9]+", "-", stem).strip("-")[:64].strip("-") or "corpus"


def free_name(name: str, taken: Container[str]) -> str:
    """The name itself, or the first of NAME-2, NAME-3 and so on that isn't taken; at most 64 characters."""
    names = (name, *(f"{name[:60]}-{number}" for number in range(2, 1_000)))
    return next((one for one in names if one not in taken), name)


def known_corpora(root: Path | None = None) -> list[Path]:
    """The bundled sample and the folders in `root`, except symbolic links, which could point anywhere."""
    folders = [
        path
        for path in sorted((root or places.corpora()).glob("*"))
        if NAME.fullmatch(path.name) and not path.is_symlink()
    ]
    return [path for path in (places.sample(), *folders) if path.is_dir()]


def store_upload(upload: Upload, content: IO[bytes], *, root: Path | None = None) -> StoredUpload:
    """Store an upload in `root/name` if every line of it can be read, or bad lines are to be skipped.

    Raises:
        CorpusError: the name is taken; the file is too large, can't be read, or holds no passage; or a line
            can't be read and `skip_bad_lines` isn't set. Nothing is stored then.
        SettingsError: fields are named for a form that has none.
    """
    target = (root or places.corpora()) / upload.name
    if os.path.lexists(target):
        raise CorpusError(f"There is a corpus {target} already; give this one another name.")
    with _not_taken(target), atomic.folder(target) as work:
        path = work / STORED[ending(upload.file_name)]
        try:
            copy_upload(content, path, limit=upload.limit, elsewhere=places.corpora())
            corpus, passages, first = _read(path, upload)
        except SecondLookError as error:  # the message is to name the user's file, not the copy
            raise type(error)(_renamed(str(error), path, upload)) from error
    notes = tuple(_renamed(note, path, upload) for note in corpus.notes)
    return StoredUpload(folder=target, passages=passages, left_out=corpus.skipped_count, notes=notes, first=first)


@contextmanager
def _not_taken(target: Path) -> Iterator[None]:
    """Say in the words of an upload that another one took its name while it was read. Raises CorpusError then."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
        raise CorpusError(f"Another upload has just become corpus {target}; give this one another name.") from None


def _renamed(sentence: str, path: Path, upload: Upload) -> str:
    """A sentence with the user's name of the file in place of the copy's."""
    stored = str(path).removesuffix(".gz")
    return sentence.replace(str(path), upload.file_name).replace(stored, upload.file_name)


def copy_upload(content: IO[bytes], path: Path, *, limit: int, elsewhere: Path) -> None:
    """Copy what a user sends to a new file; `elsewhere` is the folder on the server for a larger one.

    Raises:
        CorpusError: it has more than `limit` megabytes, or is packed and can't be unpacked or unpacks to much more.
    """
    size = 0
    with path.open("xb") as file:
        while piece := content.read(PIECE):
            size += len(piece)
            check_upload_size(str(path), size, limit=limit, elsewhere=elsewhere)
            file.write(piece)
    with path.open("rb") as file:
        packed = file.read(len(GZIP)) == GZIP
    if packed or path.suffix == ".gz":
        _check_unpacked(path, limit)


def _check_unpacked(path: Path, limit: int) -> None:
    """Refuse a small file that unpacks to a huge one, before its lines are read."""
    size = 0
    try:
        with gzip.open(path) as stream:
            while piece := stream.read(PIECE):
                size += len(piece)
                _check_size(size, path, limit)
    except READ_ERRORS as error:
        raise CorpusError(f"{path} can't be unpacked ({first_line(error)}); pack it again.") from error


def _read(path: Path, upload: Upload) -> tuple[Corpus, int, tuple[Passage, ...]]:
    """Read the corpus to the end; return it, with what it noted, the number of passages, and the first ones."""
    corpus = Corpus(path, skip_bad_lines=True, fields=upload.fields)
    passages = size = 0
    first: list[Passage] = []
    for passage in corpus:
        if len(first) < SHOWN:
            first.append(passage)
        _check_line(corpus, upload)
        passages += 1
        size += len(passage.content)
        _check_size(size, path, upload.limit)
    _check_line(corpus, upload)
    if not passages:
        raise CorpusError(f"{path} holds no passage that can be read; give a file that does.")
    return corpus, passages, tuple(first)


def _check_line(corpus: Corpus, upload: Upload) -> None:
    if corpus.skipped and not upload.skip_bad_lines:
        raise CorpusError(f"{corpus.skipped[0]}. Mend the line, or have such lines left out.")


def _check_size(size: int, path: Path, limit: int) -> None:
    most = UNPACKED * limit
    if size > most * MEGABYTE:
        raise CorpusError(f"{path} unpacks to more than {most:,} MB, which is the most for an upload; split it.")
