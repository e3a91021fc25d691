"""Parses one line of a corpus into a passage, or into a description of what is wrong with it."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from indexing.corpus.fields import Fields, as_strings, find_fields
from indexing.corpus.limits import LIMITS
from indexing.errors import SettingsError
from indexing.records import Passage, PassageId
from indexing.whitespace import squeeze

UNSTORABLE = re.compile("[\0\ud800-\udfff]")
Parsed = Passage | str
"""A passage, or what is wrong with the line."""


class Chunk(NamedTuple):
    """Parsed lines in order, and a function from a line's number in the chunk to its place in the file."""

    parsed: list[Parsed]
    place: Callable[[int], str]


def line_parser(name: str, fields: Fields, *, limit: int = LIMITS.line) -> Callable[[bytes], Parsed]:
    """A parser for lines of at most `limit` bytes, chosen by the file's name.

    Raises SettingsError for an unknown ending, or for field names with a form that has none.
    """
    if name.endswith(".jsonl"):
        return _of_bytes(lambda line: _parse_json(line, fields), limit)
    if not name.endswith((".tsv", ".txt")):
        raise SettingsError(
            f"Corpus file {name} ends in neither .tsv, .jsonl, .parquet nor .txt; rename or convert it."
        )
    if fields != Fields():
        raise SettingsError(
            f"Corpus file {name} has no field names; leave --id-field, --text-field and --title-field out."
        )
    return _of_bytes(_parse_tsv if name.endswith(".tsv") else lambda text: passage(Path(name).stem, text, ""), limit)


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
        raise ValueError(f"byte {error.start + 1} of the line is no UTF-8") from None


def _parse_tsv(line: str) -> Parsed:
    tabs = line.count("\t")
    if tabs not in (1, 2):
        return f"{tabs + 1} tab-separated fields, 2 (id, text) or 3 (id, text, title) are wanted"
    return passage(*line.split("\t"))


def _parse_json(line: str, fields: Fields) -> Parsed:
    try:
        record = json.loads(line)
    except json.JSONDecodeError as error:
        return f"not JSON ({error.msg} at character {error.pos + 1})"
    except (
        ValueError,
        RecursionError,
    ) as error:  # a number with thousands of digits, or brackets nested thousands deep
        return f"not JSON that can be read ({error})"
    if not isinstance(record, dict):
        return "a JSON object is wanted"
    names = find_fields(fields, tuple(record))
    if isinstance(names, str):
        return names
    values = as_strings(names, record[names.id], record[names.text], record[names.title] if names.title else "")
    if isinstance(values, str):
        return values
    if "\\u" in line and any(UNSTORABLE.search(value) for value in values):
        return "a NUL or half a surrogate pair is escaped in it"
    return passage(*values)


def passage(passage_id: str, text: str, title: str = "") -> Parsed:
    """A passage of these values, each run of white space made one space; without a text, the title is the text."""
    key, cleaned, title = passage_id.strip(), squeeze(text), squeeze(title)
    if not key:
        return "the id is empty"
    if not cleaned:
        cleaned, title = title, ""
    if not cleaned:
        return f"passage {key[:80]!r} has no text"
    return Passage(PassageId(key), cleaned, title)
