"""Finds the files of a corpus and reads their lines one at a time; packed files are never unpacked to disk."""

import gzip
import re
import tarfile
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from indexing.corpus.limits import LIMITS
from indexing.errors import CorpusError

ARCHIVES = (".tar.gz", ".tgz")
TABLES = ("collection.tsv", "corpus.jsonl", "collection.jsonl")
NAMES = (*(table + packed for table in TABLES for packed in ("", ".gz")), *("collection" + end for end in ARCHIVES))
CORPUS_FORMS = "collection.tsv or corpus.jsonl, plain or .gz, collection.tar.gz, *.parquet, or *.txt"
JUDGED = re.compile(r"(queries|qrels)(\.\w+)?\.\w+")  # files beside the passages that hold none

TABLE_ENDINGS = (".tsv", ".jsonl", ".tsv.gz", ".jsonl.gz", *ARCHIVES)

READ_ERRORS = (OSError, EOFError, zlib.error, tarfile.TarError)
"""What reading raises if a packed file is cut off or broken."""


def corpus_files(path: Path) -> list[Path]:
    """The files that hold a corpus's passages, in order. Raises CorpusError if there are none."""
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise CorpusError(f"Corpus {path} doesn't exist. Give a folder or a file: {CORPUS_FORMS}.")
    for name in NAMES:
        if (path / name).is_file():
            return [path / name]
    files = (
        _passages(path, path.glob("*.parquet"))
        or _passages(path, path.glob("corpus/*.parquet"))  # the hub's layout of corpus, queries and qrels
        or _passages(path, path.rglob("*.txt"))
    )
    if not files:
        raise CorpusError(f"Folder {path} holds no corpus, which would be {CORPUS_FORMS}; {_suggestion(path)}.")
    return files


def describe_unread(path: Path) -> str:
    """A message on the files in a folder of texts that aren't read, counted by ending; empty without any.

    Queries, qrels and hidden files aren't counted. If the corpus is a table such as collection.tsv, its name says what
    is read, so other files aren't mentioned.
    """
    if not path.is_dir() or corpus_files(path)[0].suffix != ".txt":
        return ""
    files = [file for file in _passages(path, path.rglob("*")) if file.suffix != ".txt" and not _hidden(file, path)]
    if not files:
        return ""
    endings = Counter(file.suffix or file.name for file in files)
    counts = ", ".join(f"{count:,} {ending}" for ending, count in endings.most_common(8))
    return (
        f"Of folder {path} only the .txt files are read; left out: {counts} (such as {files[0].name}). If they hold "
        "passages, convert them to .txt, or give a table of them: --corpus FILE."
    )


def _hidden(file: Path, root: Path) -> bool:
    return any(part.startswith(".") for part in file.relative_to(root).parts)


def _suggestion(path: Path) -> str:
    """What to do about a folder without a corpus; tables with other names are listed."""
    tables = [file for file in _passages(path, path.iterdir()) if file.name.endswith(TABLE_ENDINGS)]
    if not tables:
        return "give another folder"
    names = ", ".join(file.name for file in tables[:8])
    return f"it does hold {names}: give the file itself, --corpus {tables[0]}"


def _passages(root: Path, files: Iterator[Path]) -> list[Path]:
    """Files sorted by path, without the queries and qrels directly in `root`."""
    return sorted(
        file for file in files if not file.is_dir() and not (file.parent == root and JUDGED.fullmatch(file.name))
    )


def parts(file: Path) -> Iterator[tuple[str, IO[bytes]]]:
    """Name and unpacked bytes of the file, or of each member of an archive that holds passages."""
    if file.name.endswith(ARCHIVES):
        yield from _archive_parts(file)
    elif file.suffix == ".gz":
        with gzip.open(file) as stream:
            yield str(file), stream  # type: ignore[misc]  # typeshed doesn't declare GzipFile as an IO, but it reads as one
    else:
        with file.open("rb") as stream:
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


def _archive_parts(file: Path) -> Iterator[tuple[str, IO[bytes]]]:
    """The members with a name in `TABLES`, or else the only .tsv or .jsonl that isn't queries or qrels."""
    known, others = False, []
    for name, stream in _members(file):
        if PurePosixPath(name).name in TABLES:
            known = True
            yield f"{file}/{name}", stream
        elif name.endswith((".tsv", ".jsonl")) and not JUDGED.fullmatch(PurePosixPath(name).name):
            others.append(name)
    if not known and len(others) != 1:
        names = ", ".join(others[:8]) or "no .tsv and no .jsonl"
        raise CorpusError(f"{file} holds none of {', '.join(TABLES)}, but {names}; unpack it, and give one file.")
    if not known:
        yield from ((f"{file}/{name}", stream) for name, stream in _members(file) if name == others[0])


def _members(file: Path) -> Iterator[tuple[str, IO[bytes]]]:
    """Stream each file of an archive in turn; reading to the end also checks the checksum of the whole."""
    with gzip.open(file) as packed:
        with tarfile.open(fileobj=packed, mode="r|") as archive:
            for member in archive:
                stream = archive.extractfile(member) if member.isfile() else None
                if stream is not None and not PurePosixPath(member.name).name.startswith("."):
                    yield member.name.removeprefix("./"), stream
        while packed.read(1 << 20):
            pass
