"""What one line of a corpus says: a passage, or in words what is wrong with the line."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from indexing.corpus.fields import Fields, as_strings, find
from indexing.corpus.limits import LIMITS
from indexing.errors import SettingsError
from indexing.records import Passage, PassageId
from indexing.whitespace import squeeze

UNSTORABLE = re.compile("[\0\ud800-\udfff]")
Parsed = Passage | str
"""A passage, or what is wrong."""


class Chunk(NamedTuple):
    """Lines in order, parsed, and the place of each by its number in the chunk."""

    parsed: list[Parsed]
    place: Callable[[int], str]


def line_parser(name: str, fields: Fields, *, limit: int = LIMITS.line) -> Callable[[bytes], Parsed]:
    """Reads lines of at most `limit` bytes of a file of this name. Raises SettingsError for an unknown ending."""
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
    """The text of a line. Raises ValueError, in words, for one that is too long or no text."""
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
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, or brackets nested as deep
        return f"not JSON that can be read ({error})"
    if not isinstance(record, dict):
        return "a JSON object is wanted"
    names = find(fields, tuple(record))
    if isinstance(names, str):
        return names
    values = as_strings(names, record[names.id], record[names.text], record[names.title] if names.title else "")
    if isinstance(values, str):
        return values
    if "\\u" in line and any(UNSTORABLE.search(value) for value in values):
        return "a NUL or half a surrogate pair is escaped in it"
    return passage(*values)


def passage(passage_id: str, text: str, title: str = "") -> Parsed:
    """The passage of these values with every run of white space as one space; a title without a text is the text."""
    key, cleaned, title = passage_id.strip(), squeeze(text), squeeze(title)
    if not key:
        return "the id is empty"
    if not cleaned:
        cleaned, title = title, ""
    if not cleaned:
        return f"passage {key[:80]!r} has no text"
    return Passage(PassageId(key), cleaned, title)
