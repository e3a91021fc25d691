"""Reads a Parquet file's passages in bounded batches of rows, after checking its columns."""

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from indexing.corpus.fields import EXACT, Fields, RecordFields, as_strings, find_fields, passed_over
from indexing.corpus.limits import LIMITS, ReadLimits
from indexing.corpus.lines import Chunk, Parsed, Values
from indexing.errors import CorpusError, first_line
from indexing.notes import Note, silent_note

EXACT_IN: Mapping[pa.DataType, int] = {pa.float32(): 2**24, pa.float16(): 2**11}
"""From where on numbers of a type have lost digits; other floating-point numbers are double."""


def parquet_chunks(
    file: Path, fields: Fields, *, tell: Note = silent_note, limits: ReadLimits = LIMITS
) -> Iterator[Chunk]:
    """Every row in order, numbered from 1; `tell` gets which columns aren't taken, or nothing.

    Raises CorpusError if the file or its columns can't be used.
    """
    try:
        with pq.ParquetFile(file, memory_map=False) as source:
            names = _columns(file, source, fields)
            tell(passed_over(fields, tuple(source.schema_arrow.names)))
            first, exact = 1, EXACT_IN.get(source.schema_arrow.field(names.id).type, EXACT)
            size = batch_rows(source.metadata, limits)
            for batch in source.iter_batches(size, columns=[name for name in names if name]):
                yield Chunk(_rows(batch, names, limits.line, exact), partial(_place, file, first))
                first += batch.num_rows
    except (OSError, UnicodeDecodeError, pa.ArrowException) as error:
        raise CorpusError(f"{file} can't be read ({first_line(error)}); fetch or write it again.") from error


def count_rows(file: Path, fields: Fields) -> int:
    """How many rows a file has, by its footer alone. Raises CorpusError if that or its columns can't be used."""
    try:
        with pq.ParquetFile(file, memory_map=False) as source:
            _columns(file, source, fields)
            return int(source.metadata.num_rows)
    except (OSError, UnicodeDecodeError, pa.ArrowException) as error:
        raise CorpusError(f"{file} can't be read ({first_line(error)}); fetch or write it again.") from error


def _place(file: Path, first: int, offset: int) -> str:
    return f"{file}:row {first + offset}"


def batch_rows(metadata: pq.FileMetaData, limits: ReadLimits = LIMITS) -> int:
    """How many rows of a file are decoded together."""
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    longest = max((group.total_byte_size / max(group.num_rows, 1) for group in groups), default=1.0)
    return max(1, min(limits.batch_rows, int(limits.batch_bytes / max(longest, 1))))


def _columns(file: Path, source: pq.ParquetFile, fields: Fields) -> RecordFields:
    schema: pa.Schema = source.schema_arrow
    names = find_fields(fields, tuple(schema.names))
    if isinstance(names, str):
        raise CorpusError(f"{file}: {names}. Name them with --id-field, --text-field and --title-field.")
    for option, name in names._asdict().items():
        untyped = option == "title" or not source.metadata.num_rows  # as a column is written that holds no value
        if name and (
            schema.names.count(name) > 1 or not _usable(schema.field(name).type, number=option == "id", null=untyped)
        ):
            kinds = ", ".join(str(field.type) for field in schema if field.name == name)
            raise CorpusError(f"{file}: column {name!r} holds {kinds}, not text; name another with --{option}-field.")
    return names


def _usable(kind: pa.DataType, *, number: bool, null: bool) -> bool:
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    text = (pa.string(), pa.large_string(), pa.string_view(), pa.binary(), pa.large_binary(), pa.binary_view())
    numbers = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    return kind in text or (number and numbers) or (null and pa.types.is_null(kind))


def _rows(batch: pa.RecordBatch, names: RecordFields, limit: int, exact: int) -> list[Parsed]:
    columns = [_values(batch.column(name)) if name else [""] * batch.num_rows for name in names]
    return [_row(names, values, limit, exact) for values in zip(*columns, strict=True)]


def _values(column: pa.Array) -> list[object]:
    """Values of a column; as bytes if one isn't UTF-8, so that each can be decoded by itself."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    try:
        return list(column.to_pylist())
    except UnicodeDecodeError:
        return list(column.cast(pa.large_binary()).to_pylist())


def _row(names: RecordFields, raw: tuple[object, ...], limit: int, exact: int) -> Parsed:
    try:
        decoded = [value.decode("utf-8") if isinstance(value, bytes) else value for value in raw]
    except UnicodeDecodeError as error:
        return f"byte {error.start + 1} of a value is no UTF-8"
    key, text, title = decoded
    values = as_strings(names, key, text, title, exact=exact)
    if isinstance(values, str):
        return values
    if sum(map(len, values)) > limit:
        return f"the row is longer than {limit:,} characters"
    return "a value holds a NUL" if any("\0" in value for value in values) else Values(*values)
