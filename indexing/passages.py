"""Passages on disk: Arrow files, memory-mapped, found by row without reading the rest."""

import bisect
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa

from indexing.records import Passage, PassageId

SCHEMA = pa.schema([("id", pa.string()), ("title", pa.string()), ("text", pa.string())])


def write_shard(path: Path, passages: Sequence[Passage]) -> None:
    """Write one shard as an Arrow IPC file."""
    columns = [
        pa.array([passage.id for passage in passages], pa.string()),
        pa.array([passage.title for passage in passages], pa.string()),
        pa.array([passage.text for passage in passages], pa.string()),
    ]
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, SCHEMA) as writer:
        writer.write_table(pa.table(columns, schema=SCHEMA), max_chunksize=10_000)


class PassageStore:
    """All passages of one index by row, and rows by id."""

    def __init__(self, folder: Path) -> None:
        """Map every shard of `folder`; nothing is read until it is asked for."""
        self._tables = [
            pa.ipc.open_file(pa.memory_map(str(path))).read_all() for path in sorted(folder.glob("*.arrow"))
        ]
        self._starts: list[int] = []
        total = 0
        for table in self._tables:
            self._starts.append(total)
            total += table.num_rows
        self._count = total
        self._rows: dict[PassageId, int] | None = None

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, row: int) -> Passage:
        """The passage at a row, counted from 0. Raises IndexError outside of 0..len-1."""
        table, place = self._locate(row)
        return Passage(
            PassageId(table["id"][place].as_py()), table["text"][place].as_py(), table["title"][place].as_py()
        )

    def __iter__(self) -> Iterator[Passage]:
        for table in self._tables:
            for batch in table.to_batches():
                columns = [batch.column(name).to_pylist() for name in ("id", "text", "title")]
                for passage_id, text, title in zip(*columns, strict=True):
                    yield Passage(PassageId(passage_id), text, title)

    def id_at(self, row: int) -> PassageId:
        """The id at a row, without its text."""
        table, place = self._locate(row)
        return PassageId(table["id"][place].as_py())

    def row_of(self, passage_id: PassageId) -> int:
        """The row of an id. The table of ids is made on the first call. Raises KeyError."""
        return self._table_of_ids()[passage_id]

    def __contains__(self, passage_id: object) -> bool:
        return passage_id in self._table_of_ids()

    def _table_of_ids(self) -> dict[PassageId, int]:
        if self._rows is None:
            ids = (value for table in self._tables for value in table["id"].to_pylist())
            self._rows = {PassageId(value): row for row, value in enumerate(ids)}
        return self._rows

    def _locate(self, row: int) -> tuple[pa.Table, int]:
        if not 0 <= row < self._count:
            raise IndexError(f"row {row} of a store of {self._count} passages")
        shard = bisect.bisect_right(self._starts, row) - 1
        return self._tables[shard], row - self._starts[shard]
