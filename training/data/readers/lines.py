"""Reads lines of training data one at a time, plain or packed, and names file and line of what can't be read."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from indexing.corpus.fields import KINDS
from indexing.corpus.files import READ_ERRORS, lines, parts
from indexing.corpus.limits import LIMITS
from indexing.corpus.lines import UNSTORABLE, decoded
from indexing.errors import CorpusError, first_line

T = TypeVar("T")
LARGEST = 3.4e38  # what a float32 holds


def data_lines(path: Path, parse: Callable[[str], T], *, limit: int = LIMITS.line) -> Iterator[T]:
    """The parsed lines that aren't blank; `parse` raises a ValueError that names what is wrong with a line.

    A line may have `limit` bytes.
    The file may be packed as .gz, or be the only table in a .tar.gz, which is read through once to see that it is.

    Raises:
        CorpusError: at the first line that can't be read, once the lines before it were returned.
    """
    try:
        for name, stream in parts(path):
            for number, raw in enumerate(lines(stream, limit=limit), start=1):
                if raw.strip():
                    yield _parsed(raw, parse, f"{name}:{number}", limit)
    except READ_ERRORS as error:
        raise CorpusError(f"{path} can't be read ({first_line(error)}); fetch or pack it again.") from error


def _parsed(raw: bytes, parse: Callable[[str], T], place: str, limit: int) -> T:
    try:
        return parse(decoded(raw, limit=limit))
    except ValueError as error:
        raise CorpusError(f"{place}: {error}; mend the line or take it out.") from None


def columns(line: str, *names: str) -> list[str]:
    """The tab-separated fields of a line, one for each name. Raises ValueError for another number or a blank one."""
    values = [value.strip() for value in line.split("\t")]
    if len(values) != len(names):
        raise ValueError(f"{len(values)} tab-separated fields where {len(names)} ({', '.join(names)}) are wanted")
    for name, value in zip(names, values, strict=True):
        if not value:
            raise ValueError(f"the {name} is empty")
    return values


def json_record(line: str) -> dict[str, Any]:
    """The JSON object that a line holds. Raises ValueError where it holds something else."""
    try:
        record = json.loads(line)
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON ({error.msg} at character {error.pos + 1})") from None
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, or brackets nested as deep
        raise ValueError(f"not JSON that can be read ({first_line(error)})") from None
    if not isinstance(record, dict):
        raise ValueError("a JSON object is wanted")
    return record


def text(value: object, name: str, *, blank: bool = False) -> str:
    """A field's value, which must be text that can be stored and, unless `blank`, isn't blank. Raises ValueError."""
    if value is None:
        raise ValueError(f"there is no {name!r}")
    if not isinstance(value, str):
        raise ValueError(f"{name!r} holds {KINDS[type(value)]} where text is wanted")
    if UNSTORABLE.search(value):
        raise ValueError(f"{name!r} holds a NUL or half a surrogate pair")
    if not blank and not value.strip():
        raise ValueError(f"{name!r} is empty")
    return value


def identifier(value: object, name: str) -> str | None:
    """A field's value as an id, which may be a number; None where it is absent. Raises ValueError."""
    if value is None:
        return None
    return text(str(value) if type(value) is int else value, name).strip()


def texts(record: Mapping[str, Any], name: str) -> list[str]:
    """The texts of a field that holds one or a list of them; none where it is absent. Raises ValueError."""
    value = record.get(name)
    values = [] if value is None else [value] if isinstance(value, str) else value
    if not isinstance(values, list):
        raise ValueError(f"{name!r} holds {KINDS[type(values)]} where texts are wanted")
    return [text(value, f"{name}[{place}]") for place, value in enumerate(values)]


def numbers(record: Mapping[str, Any], name: str) -> list[float] | None:
    """The finite numbers of a field that holds a list of them; None where it is absent. Raises ValueError."""
    values = record.get(name)
    if values is None:
        return None
    if not isinstance(values, list):
        raise ValueError(f"{name!r} holds {KINDS.get(type(values), 'text')} where a list of numbers is wanted")
    for place, value in enumerate(values):
        if type(value) not in (int, float) or not abs(value) <= LARGEST:
            raise ValueError(f"{name}[{place}] is no finite number")
    return [float(value) for value in values]
