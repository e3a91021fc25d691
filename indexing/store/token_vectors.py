"""The bi-encoder's token vectors of every passage, on disk in few bits; one passage is read without the rest."""

import bisect
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from indexing.manifest import broken
from indexing.records import Floats
from indexing.store.arrays import check_rising, map_batches
from indexing.store.token_forms import INT8, vector_bytes

CLIPPED = 2.7  # standard deviations of a vector's dimensions; in 4 bits a few large ones would make the steps coarse
BATCH_ROWS = 512  # passages in one record batch, which are in memory together: 50 MB of 60 tokens and 384 dimensions
Codes = NDArray[np.uint8]
"""(tokens, bytes) uint8."""


class StoredPassage(NamedTuple):
    """What is stored of a passage."""

    codes: Codes
    cut: bool
    """Whether the bi-encoder reads only its beginning."""


def to_codes(vectors: Floats, form: str) -> Codes:
    """Vectors, (tokens, dim) float32, rounded to 255 steps a dimension, or 15; their lengths are dropped."""
    highest = np.abs(vectors).max(axis=1, keepdims=True)  # (tokens, 1)
    if form == INT8:
        return np.asarray(np.rint(vectors / highest * 127).astype(np.int8).view(np.uint8))
    limit = np.minimum(highest, CLIPPED * np.sqrt((vectors**2).mean(axis=1, keepdims=True)))
    steps = np.clip(np.rint(vectors / limit * 7), -7, 7).astype(np.int8) + 8  # 1 to 15
    if steps.shape[1] % 2:
        steps = np.pad(steps, ((0, 0), (0, 1)), constant_values=8)
    return np.asarray(steps[:, ::2] | steps[:, 1::2] << 4, dtype=np.uint8)


def from_codes(codes: Codes, form: str, *, dim: int) -> Floats:
    """Unit vectors, (tokens, dim) float32; not finite where a code is all zero, which `to_codes` never makes."""
    if form == INT8:
        steps = codes.view(np.int8).astype(np.float32)  # (tokens, dim) float32
    else:
        steps = np.empty((len(codes), 2 * codes.shape[1]), dtype=np.float32)
        steps[:, ::2], steps[:, 1::2] = codes & 15, codes >> 4
        steps = steps[:, :dim] - 8
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(steps / np.linalg.norm(steps, axis=1, keepdims=True), dtype=np.float32)


def write_token_vectors(path: Path, batches: Iterable[Sequence[StoredPassage]], *, width: int) -> None:
    """Write one shard as an Arrow IPC file; each batch becomes a record batch. `width` is in bytes a token."""
    schema = _schema(width)
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
        for batch in batches:
            offsets = np.zeros(len(batch) + 1, dtype=np.int32)  # (rows + 1,) int32
            np.cumsum([len(passage.codes) for passage in batch], out=offsets[1:])
            codes = np.concatenate([passage.codes for passage in batch])  # (tokens, width) uint8
            values = pa.FixedSizeBinaryArray.from_buffers(pa.binary(width), len(codes), [None, pa.py_buffer(codes)])
            column = pa.ListArray.from_arrays(offsets, values, type=schema.field("codes").type)
            cut = pa.array([passage.cut for passage in batch], type=pa.bool_())
            writer.write_batch(pa.record_batch([column, cut], schema=schema))


def _schema(width: int) -> pa.Schema:
    return pa.schema([("codes", pa.list_(pa.binary(width))), ("cut", pa.bool_())])


class TokenVectorStore:
    """Token vectors of all passages of one index by row."""

    def __init__(self, folder: Path, *, form: str, dim: int) -> None:
        """Map every shard of `folder`; nothing is read until it is needed. Raises IndexingError for damaged files."""
        self._folder, self._form, self._dim = folder, form, dim
        self._starts: list[int] = []
        self._batches: list[tuple[NDArray[np.int32], Codes, pa.BooleanArray]] = []
        """For each record batch (rows + 1,) offsets, (tokens, bytes) codes, and (rows,) whether each was cut."""
        self._count = 0
        width = vector_bytes(form, dim)
        for path in sorted(folder.glob("*.arrow")):
            for shard in map_batches(path, _schema(width)):
                column, values = shard.column(0), shard.column(0).values
                check_rising(path, column.offsets.to_numpy(), end=len(values))
                content = values.buffers()[1] if len(values) else b""
                codes = np.frombuffer(content, np.uint8, count=len(values) * width, offset=values.offset * width)
                self._starts.append(self._count)
                self._batches.append((column.offsets.to_numpy(), codes.reshape(-1, width), shard.column(1)))
                self._count += len(column)

    def __len__(self) -> int:
        return self._count

    def stored(self, row: int) -> StoredPassage:
        """What is stored of the passage at a row, a view of the mapped file. Raises IndexError outside of 0..len-1."""
        if not 0 <= row < self._count:
            raise IndexError(f"row {row} of a store of {self._count} passages")
        batch = bisect.bisect_right(self._starts, row) - 1
        offsets, codes, cut = self._batches[batch]
        place = row - self._starts[batch]
        return StoredPassage(codes[offsets[place] : offsets[place + 1]], cut[place].as_py())

    def vectors(self, row: int) -> Floats:
        """The passage's unit vectors, (tokens, dim) float32. Raises IndexingError if one has no direction."""
        vectors = from_codes(self.stored(row).codes, self._form, dim=self._dim)
        if not np.isfinite(vectors).all():
            raise broken(self._folder.parent, f"a vector in {self._folder.name}/ has no direction")
        return vectors

    def cut(self, row: int) -> bool:
        """Whether the bi-encoder reads only the beginning of the passage at a row."""
        return self.stored(row).cut


def in_batches(count: int) -> Iterator[range]:
    """The places of `count` passages, BATCH_ROWS at a time."""
    return (range(start, min(start + BATCH_ROWS, count)) for start in range(0, count, BATCH_ROWS))


def open_token_vectors(build: Path, form: str, *, dim: int) -> TokenVectorStore | None:
    """Those of a build that stores them in this form; None if it is empty. Raises IndexingError for damaged files."""
    return TokenVectorStore(build / "token_vectors", form=form, dim=dim) if form else None
