"""What the beginning of a corpus on this machine says of it, in every form, within seconds whatever its size."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import chain, islice, takewhile, zip_longest
from pathlib import Path, PurePosixPath
from typing import TypeVar

from indexing.corpus.corpus import Corpus
from indexing.corpus.fields import Fields
from indexing.corpus.files import ARCHIVES, list_tables, opened_member
from indexing.corpus.folder import Found, find_corpus
from indexing.corpus.parquet import count_rows
from indexing.corpus.preview import SAMPLED, Preview, copy_lines, preview, preview_copy
from indexing.corpus.upload import SHOWN
from indexing.errors import CorpusError

SECONDS = 1.5  # after which files are no longer listed, sized or counted; the others are taken for the same
T = TypeVar("T")


def preview_corpus(path: Path, *, fields: Fields | None = None) -> Preview | None:
    """What the beginning of a corpus says; None for an archive in which no table was found within seconds.

    Of an archive the listed sizes count, of a folder of texts the sizes of its files, of several Parquet files the rows
    that each one's footer tells. Of several tables or Parquet files the first, the middle and the last are looked into.

    Raises what `preview` raises, of every file that is looked into.
    """
    found = find_corpus(path)
    name = found.files[0].name.lower()
    named = fields or Fields()
    if name.endswith(".txt"):
        return _texts(path, found, named)
    if name.endswith(ARCHIVES):
        read = _archive(found.files[0], named)
    elif len(found.files) > 1:
        read = _several(found.files, named)
    else:
        read = _file(found.files[0], named)
    return read and replace(read, notes=(*found.notes, *read.notes))


def _file(file: Path, fields: Fields) -> Preview:
    with file.open("rb") as content:
        return preview(file.name, content, size=file.stat().st_size, fields=fields)


def _texts(path: Path, found: Found, fields: Fields) -> Preview:
    """A folder of texts, each a passage: the first are read, and the bytes of all are counted."""
    corpus = Corpus(path, skip_bad_lines=True, fields=fields)
    read = list(islice(corpus, SAMPLED))
    if not read and not corpus.skipped:
        raise CorpusError(f"{path} holds no passage that can be read; give a folder that does.")
    sizes = _in_time(found.files, lambda file: file.stat().st_size)
    return Preview(
        first=tuple(read[:SHOWN]),
        sample=tuple(read),
        passages=len(found.files) - len(corpus.skipped),
        text_bytes=round(sum(sizes) * len(found.files) / len(sizes)),
        whole=len(found.files) < SAMPLED,
        faults=tuple(corpus.skipped),
        notes=found.notes,
        files=len(found.files),
    )


def _archive(file: Path, fields: Fields) -> Preview | None:
    """An archive: the listed sizes of all tables, and the beginning of the first, the middle and the last one."""
    tables = list_tables(file, seconds=SECONDS)
    if not tables.sizes:
        return None
    full = [name for name, size in tables.sizes.items() if size] or list(tables.sizes)
    names = _some(full)
    found = [_member(file, name, tables.sizes[name], fields) for name in names]
    share = sum(tables.sizes[name] for name in names) / max(sum(tables.sizes.values()), 1)
    passages = round(sum(one.passages for one in found) / (share or 1))
    return replace(
        _together(found, passages=passages, files=len(tables.sizes), others=len(full) > len(names) or not tables.whole),
        notes=tuple(dict.fromkeys(chain(tables.notes, *(one.notes for one in found)))),
    )


def _member(file: Path, name: str, size: int, fields: Fields) -> Preview:
    def copy(path: Path) -> float:
        with opened_member(file, name) as content:
            return copy_lines(content, path, size=size, packed=False)

    return preview_copy(f"{file}/{name}", copy, stored=f"corpus{PurePosixPath(name).suffix.lower()}", fields=fields)


def _several(files: Sequence[Path], fields: Fields) -> Preview:
    """Several Parquet files: each one's footer is read, and the beginning of the first, the middle and the last one."""
    rows = _in_time(files, lambda file: count_rows(file, fields))
    full = [file for file, count in zip_longest(files, rows) if count != 0] or list(files)
    looked = _some(full)
    found = [_file(file, fields) for file in looked]
    return _together(
        found, passages=round(sum(rows) * len(files) / len(rows)), files=len(files), others=len(full) > len(looked)
    )


def _some(parts: Sequence[T]) -> list[T]:
    """The first, the middle and the last one."""
    return list(dict.fromkeys((parts[0], parts[len(parts) // 2], parts[-1])))


def _together(found: Sequence[Preview], *, passages: int, files: int, others: bool) -> Preview:
    """What the beginnings of some files say of a corpus of so many; `others` is whether more of them hold passages."""
    read = sum(one.passages for one in found)
    return Preview(
        first=_in_turn([one.first for one in found], most=SHOWN),
        sample=_in_turn([one.sample for one in found], most=SAMPLED),
        passages=passages,
        text_bytes=round(sum(one.text_bytes for one in found) * passages / max(read, 1)),
        whole=all(one.whole for one in found) and not others,
        faults=tuple(chain.from_iterable(one.faults for one in found)),
        notes=tuple(dict.fromkeys(chain.from_iterable(one.notes for one in found))),
        files=files,
        looked=len(found),
    )


def _in_time(files: Sequence[Path], measure: Callable[[Path], int]) -> list[int]:
    """What `measure` gives of the files, in order, of as many as there is time for and of the first in any case."""
    until = time.monotonic() + SECONDS
    rest = takewhile(lambda _: time.monotonic() < until, files[1:])
    return [measure(files[0]), *(measure(file) for file in rest)]


def _in_turn(lists: Sequence[Sequence[T]], *, most: int) -> tuple[T, ...]:
    """The first of each list, then the second of each, and so on."""
    absent = object()
    merged = chain.from_iterable(zip_longest(*lists, fillvalue=absent))
    return tuple(islice((one for one in merged if one is not absent), most))  # type: ignore[misc]  # none is `absent`
