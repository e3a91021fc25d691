"""Reads lines of training data one at a time, plain or compressed; errors name the file and the line."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from indexing.corpus.fields import KINDS
from indexing.corpus.files import READ_ERRORS, lines, parts
from indexing.corpus.limits import LIMITS
from indexing.corpus.lines import UNSTORABLE, decoded
from indexing.errors import CorpusError, first_line
from indexing.whitespace import bare

T = TypeVar("T")
UTF_16 = (b"\xff\xfe", b"\xfe\xff")  # byte-order marks
LARGEST = 3.4e38  # largest value of a float32, roughly


def data_lines(path: Path, parse: Callable[[str], T], *, limit: int = LIMITS.line) -> Iterator[T]:
    """The parsed lines that aren't blank; `parse` raises a ValueError that says what is wrong with a line.

    A line may have up to `limit` bytes. The file may be compressed as .gz, or be the only table in a .tar.gz, which is
    first read through once to check that it is the only one.

    Raises:
        CorpusError: a line can't be read; the lines before it are returned first.
    """
    return (parsed for _, parsed in placed_lines(path, parse, limit=limit))


def placed_lines(path: Path, parse: Callable[[str], T], *, limit: int = LIMITS.line) -> Iterator[tuple[str, T]]:
    """The same, each with its place, FILE:LINE."""
    try:
        for name, stream in parts(path):
            for number, raw in enumerate(lines(stream, limit=limit), start=1):
                place = f"{name}:{number}"
                if number == 1 and raw.startswith(UTF_16):
                    raise CorpusError(f"{place}: the file is UTF-16 text; save it as UTF-8.")
                if raw.strip():
                    yield place, _parsed(raw, parse, place, limit)
    except READ_ERRORS as error:
        raise CorpusError(f"{path} can't be read ({first_line(error)}); fetch or compress it again.") from error


def _parsed(raw: bytes, parse: Callable[[str], T], place: str, limit: int) -> T:
    try:
        return parse(decoded(raw, limit=limit))
    except ValueError as error:
        raise CorpusError(f"{place}: {error}; correct the line or remove it.") from None


def split_columns(line: str, *names: str) -> list[str]:
    """The tab-separated fields of a line, one per name. Raises ValueError if their number differs or one is blank."""
    values = [bare(value) for value in line.split("\t")]
    if len(values) != len(names):
        raise ValueError(f"it has {len(values)} tab-separated fields, not {len(names)} ({', '.join(names)})")
    for name, value in zip(names, values, strict=True):
        if not value:
            raise ValueError(f"the {name} is empty")
    return values


def json_record(line: str) -> dict[str, Any]:
    """The JSON object of a line. Raises ValueError if the line holds anything else."""
    if line.strip() in ("[", "{"):
        raise ValueError("the beginning of JSON over several lines, where each line must be an object of its own")
    try:
        record = json.loads(line, object_pairs_hook=_once_each)
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON ({error.msg} at character {error.pos + 1})") from None
    except _RepeatedError:
        raise
    except (ValueError, RecursionError) as error:  # thousands of digits in a number, or of nested brackets
        raise ValueError(f"JSON that can't be read ({first_line(error)})") from None
    if not isinstance(record, dict):
        raise ValueError("not a JSON object")
    return record


class _RepeatedError(ValueError):
    """An object that has a name twice."""


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for name in names if names.count(name) > 1)
        raise _RepeatedError(f"it has {repeated[:40]!r} twice")
    return values


def text(value: object, name: str, *, blank: bool = False) -> str:
    """A field's text. Raises ValueError if it isn't text, can't be stored, or is blank (unless `blank`)."""
    if value is None:
        raise ValueError(f"{name!r} is missing")
    if not isinstance(value, str):
        raise ValueError(f"{name!r} is {KINDS[type(value)]}, not text")
    if UNSTORABLE.search(value):
        raise ValueError(f"{name!r} contains a NUL or half a surrogate pair")
    if not blank and not value.strip():
        raise ValueError(f"{name!r} is empty")
    return value


def titled_text(record: Mapping[str, Any], place: str) -> str:
    """An object's `text`, after its `title` if it has one. Raises ValueError, naming the place, as `text` does."""
    title = record.get("title")
    title = "" if title is None else text(title, f"{place}.title", blank=True).strip()
    return f"{title} {text(record.get('text'), f'{place}.text')}".strip()


def identifier(value: object, name: str) -> str | None:
    """A field's value, text or a number, as an id; None if it is missing. Raises ValueError for anything else."""
    if value is None:
        return None
    if type(value) is float and value.is_integer():  # as tools write ids of a column with empty cells
        value = int(value)
    return text(bare(text(str(value) if type(value) is int else value, name)), name)


def texts(record: Mapping[str, Any], name: str) -> list[str]:
    """The texts of a field that holds one text or a list; empty if it is missing. Raises ValueError."""
    value = record.get(name)
    values = [] if value is None else [value] if isinstance(value, str) else value
    if not isinstance(values, list):
        raise ValueError(f"{name!r} is {KINDS[type(values)]}, not a list of texts")
    return [text(value, f"{name}[{place}]") for place, value in enumerate(values)]


def numbers(record: Mapping[str, Any], name: str) -> list[float] | None:
    """The finite numbers of a field that holds a list of them; None if it is missing. Raises ValueError."""
    values = record.get(name)
    if values is None:
        return None
    if not isinstance(values, list):
        raise ValueError(f"{name!r} is {KINDS.get(type(values), 'text')}, not a list of numbers")
    for place, value in enumerate(values):
        if type(value) not in (int, float) or not abs(value) <= LARGEST:
            raise ValueError(f"{name}[{place}] is not a finite number")
    return [float(value) for value in values]
