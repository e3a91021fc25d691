"""Ids as 8-byte hashes: finds repeated ids in bounded memory, and rows by id in a memory-mapped file."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexing.disk import write_array
from indexing.manifest import broken
from indexing.records import Rows
from indexing.store.arrays import map_array

Hashes = NDArray[np.uint64]
HashIds = Callable[[Sequence[str]], Hashes]

RECENT = 100_000  # hashes stored apart from the sorted array before they are merged into it
LAST_INT32_ROW = 2**31 - 1


def id_hashes(ids: Sequence[str]) -> Hashes:
    """A hash of each id, (ids,) uint64: the same in every process and version."""
    digests = [hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest() for name in ids]
    return np.frombuffer(b"".join(digests), dtype="<u8").astype(np.uint64, copy=False)


class SeenIds:
    """Remembers which ids have appeared: 8 bytes per id plus a bounded buffer, 16 while the buffer is merged.

    If two ids share a hash, the later one is taken for a repeat: over 8.84 million ids the odds
    that this happens at all are n² / 2⁶⁵, about 2 in a million.
    """

    def __init__(self, *, hashes: HashIds = id_hashes, recent: int = RECENT) -> None:
        self._hashes_of, self._limit = hashes, recent
        self._sorted: Hashes = np.empty(0, dtype=np.uint64)  # (merged ids,) ascending
        self._recent: set[int] = set()

    def repeats(self, ids: Sequence[str]) -> list[bool]:
        """For each id, whether it appeared before, in an earlier call or earlier in this one; all are remembered."""
        hashes = self._hashes_of(ids)
        repeated: list[bool] = self._merged(hashes).tolist()
        for place, value in enumerate(hashes.tolist()):
            if repeated[place] or value in self._recent:
                repeated[place] = True
            else:
                self._recent.add(value)
        if len(self._recent) >= self._limit:
            new = np.fromiter(self._recent, dtype=np.uint64, count=len(self._recent))
            new.sort()
            self._recent.clear()
            self._sorted = np.concatenate((self._sorted, new))
            self._sorted.sort(kind="stable")  # two sorted runs: one pass
        return repeated

    def _merged(self, hashes: Hashes) -> NDArray[np.bool_]:
        if not len(self._sorted):
            return np.zeros(len(hashes), dtype=np.bool_)
        order = np.argsort(hashes)  # sorted queries make the binary searches touch the same memory
        places = np.searchsorted(self._sorted, hashes[order])
        repeated = np.empty(len(hashes), dtype=np.bool_)
        repeated[order] = self._sorted[np.minimum(places, len(self._sorted) - 1)] == hashes[order]
        return repeated


def write_ids(folder: Path, shards: Iterable[Sequence[str]], *, hashes: HashIds = id_hashes) -> int:
    """Write hashes.npy (ascending uint64) and rows.npy into `folder`, and return the number of ids.

    Rows are numbered from 0 across all shards. Needs at most 24 bytes per id.
    """
    parts = [hashes(shard) for shard in shards]
    values = np.concatenate(parts) if parts else np.empty(0, dtype=np.uint64)  # (ids,) uint64, by row
    del parts
    order = np.argsort(values)  # (ids,) int64: the rows in order of their hashes
    folder.mkdir(parents=True, exist_ok=True)
    write_array(folder / "hashes.npy", values[order])
    write_array(folder / "rows.npy", order.astype(_row_type(len(order))))
    return len(order)


def _row_type(count: int) -> type[np.int32] | type[np.int64]:
    """The smallest type that holds rows 0 to count - 1."""
    return np.int32 if count - 1 <= LAST_INT32_ROW else np.int64


class IdTable:
    """Looks up rows by id in the files of `write_ids`, memory-mapped: nothing is read until it is needed."""

    def __init__(self, folder: Path, *, hashes: HashIds = id_hashes) -> None:
        """Map both files. Raises IndexingError if they are absent, unreadable, or don't belong together."""
        self._hashes: Hashes = map_array(folder / "hashes.npy", np.uint64)
        rows = folder / "rows.npy"
        self._rows: NDArray[np.int64] | NDArray[np.int32] = map_array(rows, _row_type(len(self._hashes)))
        if self._hashes.shape != self._rows.shape:
            raise broken(
                folder.parent,
                f"the table of ids in {folder.name}/ holds {len(self._hashes):,} hashes and {len(self._rows):,} rows",
            )
        self._hashes_of = hashes

    def __len__(self) -> int:
        return len(self._hashes)

    def candidates(self, passage_id: str) -> Rows:
        """The rows whose ids have this id's hash, ascending: none, one, or rarely more. The caller compares the ids."""
        own_hash = self._hashes_of(
            [passage_id]
        )  # (1,) uint64 like the table; another type would make NumPy copy the table
        first = int(np.searchsorted(self._hashes, own_hash, side="left")[0])
        last = int(np.searchsorted(self._hashes, own_hash, side="right")[0])
        return np.sort(self._rows[first:last]).astype(np.int64)  # (candidates,) int64
