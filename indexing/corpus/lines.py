"""Parses one line of a corpus into the values of a passage, or into a description of what is wrong with it."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from indexing.corpus.fields import Fields, RecordFields, as_strings, find_fields, passed_over
from indexing.corpus.limits import LIMITS, LONGEST_ID
from indexing.corpus.remarks import Remarks
from indexing.notes import Note, silent_note
from indexing.records import Passage, PassageId
from indexing.whitespace import bare, squeeze

EMPTY = "the line is empty"
UNSTORABLE = re.compile("[\0\ud800-\udfff]")


class Values(NamedTuple):
    """The id, text and title of a passage as they stand in a file."""

    id: str
    text: str
    title: str = ""


Parsed = Values | str | None
"""A passage's values, or what is wrong with the line; None for a line that belongs to no passage, such as a header."""


class Chunk(NamedTuple):
    """Parsed lines in order, and a function from a line's number in the chunk to its place in the file."""

    parsed: list[Parsed]
    place: Callable[[int], str]


def json_parser(fields: Fields, *, tell: Note = silent_note, limit: int = LIMITS.line) -> Callable[[bytes], Parsed]:
    """A parser of JSON lines of at most `limit` bytes; of each, `tell` gets which fields aren't taken, or nothing."""
    return _of_bytes(lambda line: _parse_json(line, fields, tell), limit)


def text_parser(name: str, *, limit: int = LIMITS.line) -> Callable[[bytes], Parsed]:
    """A parser of a whole text file, whose name without its ending is the passage's id."""
    stem = Path(name).stem
    if UNSTORABLE.search(stem):
        return lambda _: "the file's name is no UTF-8; rename it"
    return _of_bytes(lambda text: Values(stem, text), limit)


def _of_bytes(parse: Callable[[str], Parsed], limit: int) -> Callable[[bytes], Parsed]:
    def parse_bytes(line: bytes) -> Parsed:
        try:
            text = decoded(line, limit=limit)
        except ValueError as error:
            return str(error)
        return parse(text)

    return parse_bytes


def decoded(line: bytes, *, limit: int = LIMITS.line) -> str:
    """The text of a line. Raises ValueError with a description if it is too long or isn't text."""
    if len(line) > limit:
        raise ValueError(f"the line is longer than {limit:,} bytes")
    if b"\0" in line:
        raise ValueError("the line holds a NUL byte")
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError as error:
        value = line[error.start : error.start + 1]
        meant = value.decode("cp1252", errors="replace")
        raise ValueError(
            f"byte {error.start + 1} of the line is no UTF-8 (0x{value[0]:02X}, which is {meant!r} in Windows-1252; "
            "if the file is in that encoding, convert it: iconv -f WINDOWS-1252 -t UTF-8 FILE > NEW)"
        ) from None


def _parse_json(line: str, fields: Fields, tell: Note) -> Parsed:
    if not line.strip():
        return EMPTY
    try:
        record = json.loads(line)
    except json.JSONDecodeError as error:
        return f"not JSON ({error.msg} at character {error.pos + 1}){_array(line)}"
    except (
        ValueError,
        RecursionError,
    ) as error:  # a number with thousands of digits, or brackets nested thousands deep
        return f"not JSON that can be read ({error})"
    if not isinstance(record, dict):
        return f"a JSON object is wanted{_array(line)}"
    names = find_fields(fields, tuple(record))
    if isinstance(names, str):
        return names
    if repeated := _repeated(line, names):
        return f"field {repeated!r} stands there twice with different values"
    tell(passed_over(fields, tuple(record)))
    values = as_strings(names, record[names.id], record[names.text], record[names.title] if names.title else "")
    if isinstance(values, str):
        return values
    if "\\u" in line and any(UNSTORABLE.search(value) for value in values):
        return "a NUL or half a surrogate pair is escaped in it"
    return Values(*values)


def _array(line: str) -> str:
    if not line.lstrip().startswith("["):
        return ""
    return "; write an array as lines, an object each: jq -c '.[]' FILE > NEW.jsonl"


def _repeated(line: str, names: RecordFields) -> str:
    """The field among `names` that an object holds twice with different values; empty without any."""
    suspects = [name for name in names if name and line.count(f'"{name}"') > 1]
    if not suspects:
        return ""
    pairs: list[tuple[str, Any]] = []

    def keep(found: list[tuple[str, Any]]) -> dict[str, Any]:
        pairs[:] = found  # the outermost object ends last
        return dict(found)

    json.loads(line, object_pairs_hook=keep)
    return next((name for name in suspects if len({repr(value) for key, value in pairs if key == name}) > 1), "")


def passage(values: Values, remarks: Remarks) -> Passage | str:
    """A passage of these values, each run of white space made one space; without a text, the title is the text."""
    key = bare(values.id)
    if not key:
        return "the id is empty"
    if len(key) > LONGEST_ID:
        return f"the id has {len(key):,} characters, {LONGEST_ID:,} are the most; is it a text?"
    text, title = squeeze(remarks.text(key, values.text)), squeeze(remarks.text(key, values.title))
    if not text:
        text, title = title, ""
    if not text:
        return f"passage {key[:80]!r} has no text"
    remarks.count(key, text, title)
    return Passage(PassageId(key), text, title)


def iterate(parse: Callable[[bytes], Parsed]) -> Callable[[Iterator[bytes]], Iterator[Parsed]]:
    """A reader that parses each line for itself."""
    return lambda lines: map(parse, lines)
