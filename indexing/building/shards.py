"""One shard of a build: its passages in every form that takes long to compute, complete or not at all.

A shard is self-contained: its files don't depend on other shards, and its record, written last, holds
their checksums. So a stopped build keeps its finished shards, and a new build reuses every shard of an
old one whose passages are the same.
"""

import ctypes
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from indexing import atomic
from indexing.bm25 import postings
from indexing.dense.encoder import BiEncoder
from indexing.dense.vectors import VectorStore, save_shard
from indexing.progress import Progress, relabel, silent
from indexing.records import Floats, Passage
from indexing.store import passages, tokens
from indexing.store.ids import IdTable
from indexing.store.passages import PassageStore
from indexing.store.token_forms import vector_bytes
from indexing.store.token_vectors import (
    StoredPassage,
    TokenVectorStore,
    in_batches,
    to_codes,
    write_token_vectors,
)
from indexing.store.tokens import PassageTokenizer
from indexing.words.analyzer import Analyzer
from indexing.words.analyzers import analyzer_for

SHARD_FORMS = {
    "passages": ".arrow",
    "vectors": ".npy",
    "terms": ".arrow",
    "tokens": ".arrow",
    "token_vectors": ".arrow",
}
RECORDS = "shards"


@dataclass(frozen=True)
class Shard:
    """The record of a finished shard."""

    passages: int
    digest: str
    """`passages.digest` of its passages, in hexadecimal."""
    files: dict[str, dict[str, Any]]
    """Bytes and SHA-256 of each file, by form."""

    def sound(self, work: Path, number: int) -> bool:
        """Whether every file exists and matches its checksum."""
        table = {path(work, form, number).relative_to(work).as_posix(): row for form, row in self.files.items()}
        return not atomic.changed_files(work, table, full=True)


class KnownVectors:
    """The vectors of an earlier build, looked up by passage; shards that have changed on disk are ignored."""

    def __init__(self, folder: Path, token_vectors: TokenVectorStore | None = None) -> None:
        """`token_vectors` are those of the same build, in the form that is wanted; None if it has none."""
        self._folder = folder
        self._token_vectors = token_vectors
        self._passages = PassageStore(folder / "passages", IdTable(folder / "ids"))
        self._vectors = VectorStore(folder / "vectors")
        self._shards = load_all(folder)
        self._starts = np.cumsum([0, *(shard.passages for shard in self._shards)])  # (shards + 1,)
        self._sound: dict[int, bool] = {}

    def find(self, content: Sequence[Passage]) -> dict[int, int]:
        """Rows in the build, by place in `content`, of the passages that it holds with the same text."""
        rows: dict[int, int] = {}
        for place, passage in enumerate(content):
            with suppress(KeyError):
                row = self._passages.row_of(passage.id)
                if self._passages[row] == passage and self._trusted(row):
                    rows[place] = row
        return rows

    def vectors(self, rows: Sequence[int]) -> Floats:
        """The vectors at these rows, (rows, dim) float32."""
        return self._vectors.rows(np.array(rows, dtype=np.int64))

    def token_vectors(self, row: int) -> StoredPassage | None:
        """What is stored of a row's tokens; None if the build stores none."""
        return None if self._token_vectors is None else self._token_vectors.stored(row)

    def _trusted(self, row: int) -> bool:
        """Whether the shard of this row still matches its checksums; each shard is checked once."""
        number = int(np.searchsorted(self._starts, row, side="right")) - 1
        if number not in self._sound:
            self._sound[number] = number < len(self._shards) and self._shards[number].sound(self._folder, number)
        return self._sound[number]


@dataclass(frozen=True, kw_only=True)
class ShardMaker:
    """Turns passages into a shard's files."""

    encoder: BiEncoder
    tokenizer: PassageTokenizer | None = None
    known: KnownVectors | None = None
    """Vectors of the same bi-encoder that needn't be computed again."""
    analyzer: Analyzer = field(default_factory=analyzer_for)
    token_vectors: str = ""
    """The form in which token vectors are stored; empty for none."""
    progress: Progress = silent
    """Called for the phases `read` and `encode`, with total 0: a single shard doesn't know the corpus's size."""

    def make(self, work: Path, number: int, content: Sequence[Passage], digest: str) -> tuple[Shard, int]:
        """Write every form of these passages, then the record; return it, and how many passages were encoded."""
        remove_shards(work, number)
        texts = [passage.content for passage in content]
        passages.write_passages(path(work, "passages", number), content)
        postings.write_postings(path(work, "terms", number), self.analyzer.analyze(texts))
        if self.tokenizer is not None:
            tokens.write_tokens(path(work, "tokens", number), self.tokenizer.encode(texts))
        self.progress("read", len(content), 0)
        known_rows = self.known.find(content) if self.known is not None else {}
        encoded, count = self._encode(texts, known_rows)
        save_shard(path(work, "vectors", number), encoded)
        if self.token_vectors:
            write_token_vectors(
                path(work, "token_vectors", number),
                self._tokens(texts, known_rows),
                width=vector_bytes(self.token_vectors, self.encoder.dim),
            )
        _release_memory()
        return seal(work, number, len(content), digest), count

    def _encode(self, texts: Sequence[str], known_rows: dict[int, int]) -> tuple[Floats, int]:
        """Vectors of all texts, those of `known_rows` copied from the earlier build; and how many were computed."""
        new = [place for place in range(len(texts)) if place not in known_rows]
        vectors = np.empty((len(texts), self.encoder.dim), dtype=np.float32)  # (texts, dim) float32
        if known_rows and self.known is not None:
            vectors[list(known_rows)] = self.known.vectors(list(known_rows.values()))
            self.progress("encode", len(known_rows), 0)
        if new:
            vectors[new] = self.encoder.encode_passages(
                [texts[place] for place in new], progress=relabel(self.progress, "encode", total=0)
            )
        return vectors, len(new)

    def _tokens(self, texts: Sequence[str], known_rows: Mapping[int, int]) -> Iterator[list[StoredPassage]]:
        """The stored form of each text's token vectors; those of `known_rows` come from the earlier build, if there."""
        for places in in_batches(len(texts)):
            known = {
                place: stored
                for place in places
                if self.known is not None and place in known_rows
                if (stored := self.known.token_vectors(known_rows[place])) is not None
            }
            new = [place for place in places if place not in known]
            content = [texts[place] for place in new]
            encoded = zip(new, self.encoder.encode_tokens(content), self.encoder.cuts(content), strict=True)
            made = {place: StoredPassage(to_codes(tokens, self.token_vectors), cut) for place, tokens, cut in encoded}
            yield [known[place] if place in known else made[place] for place in places]


def _release_memory() -> None:
    """Return freed memory to the system: glibc keeps it between blocks in use, more of it with each shard."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def path(work: Path, form: str, number: int) -> Path:
    """The path of one form of a shard; its folder is created."""
    folder = work / form
    folder.mkdir(exist_ok=True)
    return folder / f"{number:05}{SHARD_FORMS[form]}"


def seal(work: Path, number: int, count: int, digest: str) -> Shard:
    """Sync a shard's files, then write the record that marks it as finished."""
    files: dict[str, Path] = {form: path(work, form, number) for form in SHARD_FORMS if (work / form).is_dir()}
    table: dict[str, dict[str, Any]] = {}
    for form, file in files.items():
        atomic.fsync_path(file)
        table[form] = atomic.file_row(file)
    shard = Shard(count, digest, table)
    atomic.write_json(_record(work, number), asdict(shard))
    return shard


def load(work: Path, number: int) -> Shard | None:
    """The record of a shard; None if it isn't finished."""
    try:
        return Shard(**json.loads(_record(work, number).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def load_all(work: Path) -> list[Shard]:
    """The records of every finished shard, in order, up to the first that is missing."""
    finished: list[Shard] = []
    while (shard := load(work, len(finished))) is not None:
        finished.append(shard)
    return finished


def link(shard: Shard, source: Path, old: int, work: Path, new: int) -> Shard:
    """Reuse a shard of another build by hard links, without copying it."""
    remove_shards(work, new)
    for form in shard.files:
        os.link(path(source, form, old), path(work, form, new))
    atomic.write_json(_record(work, new), asdict(shard))
    return shard


def remove_shards(work: Path, number: int) -> None:
    """Unlink a shard's record and files. Another build may share them, so never write into an existing file."""
    _record(work, number).unlink(missing_ok=True)
    for form in SHARD_FORMS:
        (work / form / f"{number:05}{SHARD_FORMS[form]}").unlink(missing_ok=True)


def remove_unfinished(work: Path) -> None:
    """Remove all that a build which failed left besides its finished shards, to give their space back."""
    finished = load_all(work)
    for path in work.iterdir():
        if path.is_dir() and path.name not in (*SHARD_FORMS, RECORDS):
            shutil.rmtree(path, ignore_errors=True)
        elif path.is_file():
            path.unlink(missing_ok=True)
    remove_others(work, finished)


def remove_others(work: Path, finished: Sequence[Shard]) -> None:
    """Remove files that belong to none of these shards: leftovers of a longer corpus or of a killed process."""
    own = {_record(work, number) for number in range(len(finished))}
    own |= {path(work, form, number) for number, shard in enumerate(finished) for form in shard.files}
    for folder in (RECORDS, *SHARD_FORMS):
        for file in (work / folder).glob("*"):
            if file not in own:
                file.unlink()


def _record(work: Path, number: int) -> Path:
    return work / RECORDS / f"{number:05}.json"
