"""NumPy and Arrow files of an index, mapped after a check that they hold what compiled code will trust them to hold."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from indexing.errors import first_line
from indexing.manifest import broken

UNREADABLE = (OSError, ValueError, EOFError, OverflowError, SyntaxError, TypeError, MemoryError, RecursionError)
"""What numpy raises for a file with a damaged header."""


def build_folder(path: Path) -> Path:
    """The build that a file of one of its parts, such as `passages/`, belongs to."""
    return path.parent.parent


def map_array(path: Path, kind: type[np.generic], *, dimensions: int = 1) -> NDArray[Any]:
    """Map a .npy file, read-only. Raises IndexingError unless it is a C-ordered array of this type and rank."""
    try:
        array: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except UNREADABLE as error:
        raise broken(build_folder(path), f"{_shown(path)} can't be read ({first_line(error)})") from None
    if array.dtype != kind or array.ndim != dimensions or not array.flags.c_contiguous:
        found = f"{array.dtype} of {array.ndim} dimensions"
        raise broken(build_folder(path), f"{_shown(path)} holds {found} in place of {np.dtype(kind)} of {dimensions}")
    return array


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in a file. Raises IndexingError if there is none."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise broken(build_folder(path), f"{_shown(path)} can't be read ({first_line(error)})") from None
    if not isinstance(values, dict):
        raise broken(build_folder(path), f"{_shown(path)} is no JSON object")
    return values


def map_batches(path: Path, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """The record batches of an Arrow file, mapped; bounds are checked, values aren't read.

    Raises:
        IndexingError: the file can't be read, has other columns, or a column's parts don't fit together.
    """
    try:
        with pa.ipc.open_file(pa.memory_map(str(path))) as file:
            if not file.schema.equals(schema):
                raise broken(build_folder(path), f"{_shown(path)} has other columns than {', '.join(schema.names)}")
            for number in range(file.num_record_batches):
                batch = file.get_batch(number)
                batch.validate()
                if any(column.null_count for column in batch.columns):
                    raise broken(build_folder(path), f"{_shown(path)} lacks values")
                yield batch
    except (pa.ArrowException, OSError, ValueError) as error:
        raise broken(build_folder(path), f"{_shown(path)} can't be read ({first_line(error)})") from None


def check_rising(path: Path, starts: NDArray[Any], *, end: int) -> None:
    """Raise IndexingError unless these offsets rise within 0 to `end`: compiled loops read between them."""
    if not len(starts) or starts[0] < 0 or starts[-1] > end or (len(starts) > 1 and bool((np.diff(starts) < 0).any())):
        raise broken(build_folder(path), f"the offsets in {_shown(path)} don't rise within its {end:,} values")


def _shown(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"
