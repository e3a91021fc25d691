"""Passages on disk: memory-mapped Arrow files, in which one row is read without the rest."""

import bisect
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from indexing.errors import IndexingError, first_line
from indexing.manifest import broken
from indexing.records import Passage, PassageId
from indexing.store.arrays import map_batches
from indexing.store.ids import IdTable

SCHEMA = pa.schema([("id", pa.string()), ("title", pa.string()), ("text", pa.string())])
PLAIN = np.array([33 <= byte < 127 for byte in range(256)])
"""By byte: whether it is a printable ASCII character other than a space, which no white space contains in UTF-8."""


def write_passages(path: Path, passages: Sequence[Passage]) -> None:
    """Write one shard as an Arrow IPC file."""
    columns = [
        pa.array([passage.id for passage in passages], pa.string()),
        pa.array([passage.title for passage in passages], pa.string()),
        pa.array([passage.text for passage in passages], pa.string()),
    ]
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, SCHEMA) as writer:
        writer.write_table(pa.table(columns, schema=SCHEMA), max_chunksize=10_000)


def shard_ids(folder: Path) -> Iterator[list[str]]:
    """The ids of each shard of `folder`, a shard at a time."""
    for path in sorted(folder.glob("*.arrow")):
        yield [name for batch in map_batches(path, SCHEMA) for name in _values(folder, batch.column(0))]


class PassageStore:
    """All passages of one index by row, and rows by id."""

    def __init__(self, folder: Path, ids: IdTable) -> None:
        """Map every shard of `folder`; nothing is read until it is needed."""
        self._batches: list[pa.RecordBatch] = []
        self._starts: list[int] = []
        self._count = 0
        self.ids = ids
        self._folder = folder
        for path in sorted(folder.glob("*.arrow")):
            for batch in map_batches(path, SCHEMA):
                self._batches.append(batch)
                self._starts.append(self._count)
                self._count += batch.num_rows

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, row: int) -> Passage:
        """The passage at a row, counted from 0. Raises IndexError outside of 0..len-1."""
        batch, place = self._locate(row)
        passage_id, title, text = (self._value(batch.column(number), place) for number in range(3))
        return Passage(PassageId(passage_id), text, title)

    def __iter__(self) -> Iterator[Passage]:
        for batch in self._batches:
            columns = [_values(self._folder, batch.column(number)) for number in range(3)]
            for passage_id, title, text in zip(*columns, strict=True):
                yield Passage(PassageId(passage_id), text, title)

    def id_at(self, row: int) -> PassageId:
        """The id at a row; the text isn't read."""
        batch, place = self._locate(row)
        return PassageId(self._value(batch.column(0), place))

    def row_of(self, passage_id: PassageId) -> int:
        """The row of an id. Raises KeyError for an unknown id."""
        for row in self.ids.candidates(passage_id):
            if not 0 <= row < self._count:
                raise broken(self._folder.parent, f"ids/rows.npy holds row {row} of {self._count:,} passages")
            if self.id_at(int(row)) == passage_id:
                return int(row)
        raise KeyError(passage_id)

    def by_id(self, passage_id: PassageId) -> Passage:
        """The passage of an id. Raises KeyError for an unknown id."""
        return self[self.row_of(passage_id)]

    def __contains__(self, passage_id: object) -> bool:
        try:
            return isinstance(passage_id, str) and self.row_of(PassageId(passage_id)) >= 0
        except KeyError:
            return False

    def first_id_with_blanks(self) -> PassageId | None:
        """The first id that holds white space of any kind; None without one.

        Looks at the bytes of all ids at once (about 0.1 s for 8.8 million), and at single ids only where a byte isn't
        plain ASCII.
        """
        for batch in self._batches:
            column = batch.column(0)
            _, offsets, data = column.buffers()
            if data is None or not batch.num_rows:
                continue
            ends = np.frombuffer(offsets, dtype=np.int32)[column.offset :][: len(column) + 1]  # where each id begins
            if not PLAIN[np.frombuffer(data, dtype=np.uint8)[ends[0] : ends[-1]]].all():
                for name in _values(self._folder, column):
                    if name.split() != [name]:
                        return PassageId(name)
        return None

    def _value(self, column: pa.Array, place: int) -> str:
        """One text of a column, whose offsets are checked first: Arrow reads wherever they point."""
        try:
            single = column.slice(place, 1)
            single.validate()
            value: str = single[0].as_py()
        except (pa.ArrowException, UnicodeDecodeError) as error:
            raise _damaged(self._folder, error) from None
        return value

    def _locate(self, row: int) -> tuple[pa.RecordBatch, int]:
        if not 0 <= row < self._count:
            raise IndexError(f"row {row} of a store of {self._count} passages")
        number = bisect.bisect_right(self._starts, row) - 1
        return self._batches[number], row - self._starts[number]


def _values(folder: Path, column: pa.Array) -> list[str]:
    """All texts of a column, whose offsets are checked first."""
    try:
        column.validate(full=True)
        values: list[str] = column.to_pylist()
    except (pa.ArrowException, UnicodeDecodeError) as error:
        raise _damaged(folder, error) from None
    return values


def _damaged(folder: Path, error: Exception) -> IndexingError:
    return broken(folder.parent, f"a text in {folder.name}/ can't be read ({first_line(error)})")


def digest(passages: Iterable[Passage]) -> int:
    """The sum of BLAKE2b-128 over each passage's id, title and text, modulo 2^128.

    The sum of the parts' digests is that of the whole, however it is divided and ordered.
    """
    total = 0
    for passage in passages:
        content = f"{passage.id}\0{passage.title}\0{passage.text}".encode()
        total += int.from_bytes(hashlib.blake2b(content, digest_size=16).digest())
    return total % 2**128
