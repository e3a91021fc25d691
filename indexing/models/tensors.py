"""The tensors that a folder's safetensors files hold, by their headers alone: names, shapes, and whether they fit."""

import json
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"
ADAPTER = "adapter_model.safetensors"
HEADER_BYTES = 1 << 26  # the longest header that is read
LENGTH = 8  # bytes of the header's length, little-endian
BITS = {"BOOL": 8, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "I16": 16, "U16": 16, "F16": 16, "BF16": 16} | {
    "I32": 32, "U32": 32, "F32": 32, "F64": 64, "I64": 64, "U64": 64,
}  # fmt: skip
"""Bits of one value, by the type's name in a header."""


def read_shapes(folder: Path) -> dict[str, tuple[int, ...]]:
    """Every tensor of a folder's weights with its shape; empty if it holds none as safetensors.

    Raises:
        ValueError: a header is broken, or says more than its file holds; the message names the file.
        OSError: a file can't be read.
    """
    if (folder / WEIGHTS).is_file():
        return _file_shapes(folder / WEIGHTS)
    if not (folder / INDEX).is_file():
        return _file_shapes(folder / ADAPTER) if (folder / ADAPTER).is_file() else {}
    try:
        names = sorted(set(json.loads((folder / INDEX).read_text(encoding="utf-8"))["weight_map"].values()))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise ValueError(f"{INDEX} can't be read") from None
    shapes: dict[str, tuple[int, ...]] = {}
    for name in names:
        if PurePosixPath(name).name != name or not (folder / name).is_file():
            raise ValueError(f"{name[:60]} is absent")
        shapes |= _file_shapes(folder / name)
    return shapes


def _file_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(LENGTH), "little")
        if not 2 <= length <= min(HEADER_BYTES, size - LENGTH):
            raise ValueError(f"{path.name} has no header")
        try:
            header = json.loads(file.read(length))
        except (ValueError, RecursionError):
            raise ValueError(f"{path.name} has a broken header") from None
    if not isinstance(header, dict):
        raise ValueError(f"{path.name} has a broken header")
    header.pop("__metadata__", None)
    held = size - LENGTH - length
    return {name: _shape(row, held, f"{path.name}: {name[:60]}") for name, row in header.items()}


def _shape(row: object, held: int, place: str) -> tuple[int, ...]:
    """One tensor's shape. Raises ValueError unless its bytes are those of the shape and lie in the file."""
    values: Mapping[str, Any] = row if isinstance(row, dict) else {}
    shape: Any = values.get("shape")
    span: Any = values.get("data_offsets")
    kind = values.get("dtype")
    if not _sizes(shape) or not _sizes(span) or len(span) != 2 or not isinstance(kind, str):
        raise ValueError(f"{place} has a broken header")
    count = 1
    for size in shape:
        count *= size
    if not span[0] <= span[1] <= held:
        raise ValueError(f"{place} lies beyond the file's end")
    if kind in BITS and 8 * (span[1] - span[0]) != BITS[kind] * count:
        raise ValueError(f"{place} has {span[1] - span[0]:,} bytes, which isn't its shape")
    return tuple(shape)


def _sizes(values: Any) -> bool:
    return (
        isinstance(values, list)
        and len(values) < 20
        and all(type(value) is int and 0 <= value < 2**48 for value in values)
    )
