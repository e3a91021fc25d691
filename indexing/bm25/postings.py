"""Which passages hold a term and how often: one Arrow file per shard, to compute BM25 with any k1 and b from."""

import bisect
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from indexing.errors import IndexingError, first_line
from indexing.manifest import broken
from indexing.records import Rows
from indexing.store.arrays import build_folder, check_rising, map_batches

SCHEMA = pa.schema([("term", pa.string()), ("rows", pa.list_(pa.int32())), ("counts", pa.list_(pa.uint16()))])
MOST = np.iinfo(np.uint16).max  # counts above this are capped
PASSAGES = b"passages"  # metadata key: number of passages in the shard, including those without terms


class TermPostings(NamedTuple):
    """The passages that hold one term, in row order."""

    rows: Rows
    """(passages with the term,) int64, ascending."""
    counts: NDArray[np.int64]
    """(passages with the term,) int64: how often it occurs in each."""


def write_postings(path: Path, analyzed: Sequence[Sequence[str]]) -> None:
    """Write the postings of one shard, whose passages come as lists of terms. Equal input gives equal bytes."""
    seen: dict[str, int] = {}
    flat = [seen.setdefault(term, len(seen)) for terms in analyzed for term in terms]
    vocabulary = sorted(seen)
    place = np.empty(len(seen), dtype=np.int64)  # (terms,) from order of appearance to alphabetical order
    place[[seen[term] for term in vocabulary]] = np.arange(len(seen))
    rows = np.repeat(np.arange(len(analyzed)), [len(terms) for terms in analyzed])  # (words,)
    words = place[np.array(flat, dtype=np.int64)]  # (words,)
    pairs, counts = np.unique(words * len(analyzed) + rows, return_counts=True)  # sorted by term, then row
    sizes = np.bincount(pairs // max(len(analyzed), 1), minlength=len(vocabulary))  # (terms,)
    starts = pa.array(np.concatenate([[0], np.cumsum(sizes)]), pa.int32())
    table = pa.table(
        [
            pa.array(vocabulary, pa.string()),
            pa.ListArray.from_arrays(starts, pa.array(pairs % max(len(analyzed), 1), pa.int32())),
            pa.ListArray.from_arrays(starts, pa.array(np.minimum(counts, MOST), pa.uint16())),
        ],
        schema=SCHEMA.with_metadata({PASSAGES: str(len(analyzed)).encode()}),
    )
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)


class ShardPostings:
    """One shard, memory-mapped."""

    def __init__(self, path: Path) -> None:
        """Map it. Raises IndexingError if it can't be read, or a term's postings lie outside of the file."""
        self._path = path
        batches = list(map_batches(path, SCHEMA))
        batch = batches[0] if batches else pa.RecordBatch.from_pylist([], SCHEMA)
        self.passages = self._read_count()
        self.terms: pa.StringArray = batch.column("term")
        """In alphabetical order."""
        self.starts: NDArray[np.int32] = batch.column("rows").offsets.to_numpy()  # (terms + 1,)
        self.rows: NDArray[np.int32] = batch.column("rows").values.to_numpy()  # (postings,) rows in the shard
        self.counts: NDArray[np.uint16] = batch.column("counts").values.to_numpy()  # (postings,)
        self._check(batches)

    def _read_count(self) -> int:
        with pa.ipc.open_file(pa.memory_map(str(self._path))) as file:
            try:
                return int((file.schema.metadata or {})[PASSAGES])
            except (KeyError, ValueError):
                raise self._broken("lacks the number of its passages") from None

    def _check(self, batches: Sequence[pa.RecordBatch]) -> None:
        if len(batches) > 1 or not 0 <= self.passages < 2**31:
            raise self._broken("isn't one batch of postings")
        check_rising(self._path, self.starts, end=min(len(self.rows), len(self.counts)))
        try:
            self.terms.validate(full=True)
        except pa.ArrowException as error:
            raise self._broken(f"can't be read ({first_line(error)})") from None

    def _broken(self, fault: str) -> IndexingError:
        return broken(build_folder(self._path), f"{self._path.parent.name}/{self._path.name} {fault}")

    def checked_rows(self, place: slice) -> NDArray[np.int32]:
        """The rows of these postings. Raises IndexingError for one that the shard doesn't hold."""
        rows = self.rows[place]
        if len(rows) and not (rows.min() >= 0 and rows.max() < self.passages):
            raise self._broken(f"names a row beyond its {self.passages:,} passages")
        return rows

    def find(self, term: str) -> slice | None:
        """The range of a term's postings; None if the shard doesn't hold the term."""
        place = bisect.bisect_left(range(len(self.terms)), term, key=lambda number: self.terms[number].as_py())
        if place == len(self.terms) or self.terms[place].as_py() != term:
            return None
        return slice(int(self.starts[place]), int(self.starts[place + 1]))

    def lengths(self) -> NDArray[np.int64]:
        """Number of terms in each passage, repeats included, (passages,) int64."""
        rows = self.checked_rows(slice(None))
        return np.bincount(rows, weights=self.counts, minlength=self.passages).astype(np.int64)


class Postings:
    """The postings of a whole index."""

    def __init__(self, folder: Path) -> None:
        """Map every shard of `folder`, in the order of their names."""
        self.shards = [ShardPostings(path) for path in sorted(folder.glob("*.arrow"))]
        counts = [shard.passages for shard in self.shards]
        self.first_rows = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)  # (shards + 1,)

    def __len__(self) -> int:
        """Number of passages, including those without terms."""
        return int(self.first_rows[-1])

    def find(self, term: str) -> TermPostings:
        """The passages that hold a term; empty if none does."""
        places = [(shard, first, shard.find(term)) for shard, first in zip(self.shards, self.first_rows, strict=False)]
        postings = [(shard, first, place) for shard, first, place in places if place is not None]
        if not postings:
            return TermPostings(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64))
        return TermPostings(
            np.concatenate([shard.checked_rows(place) + first for shard, first, place in postings]),
            np.concatenate([shard.counts[place].astype(np.int64) for shard, _, place in postings]),
        )

    def lengths(self) -> NDArray[np.int64]:
        """Number of terms in each passage, repeats included, (passages,) int64."""
        return np.concatenate([np.empty(0, dtype=np.int64), *(shard.lengths() for shard in self.shards)])
