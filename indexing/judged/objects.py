"""JSON in files of queries, qrels and runs: one document, or an object a line; names that repeat are refused."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from indexing.errors import CorpusError
from indexing.judged.lines import Line, refuse, text_lines
from indexing.whitespace import bare

JSON = re.compile(r"\s*[\[{]\s*([\"\[\]{}]|$)")
UNSTORABLE = re.compile("[\0\ud800-\udfff]")


class Record(NamedTuple):
    """One JSON object of a file with an object a line."""

    number: int
    values: dict[str, Any]
    text: str


def holds_json(path: Path) -> bool:
    """Whether the first line begins as JSON does, and not as an id in brackets. Raises CorpusError for no text."""
    return JSON.match(next(text_lines(path)).text) is not None


def records(path: Path, *, form: str) -> Iterator[Record]:
    """The objects of a file with one a line. Raises CorpusError for any other line."""
    for number, text in text_lines(path):
        try:
            values = json.loads(text, object_pairs_hook=_unrepeated, parse_constant=_no_number)
        except (ValueError, RecursionError) as error:
            refuse(path, number, f"no JSON that can be read ({_reason(error)})", text, form=form)
        if not isinstance(values, dict):
            refuse(path, number, "no JSON object", text, form=form)
        yield Record(number, values, text)


def document(path: Path, *, form: str) -> Any | None:
    """The value of a file that is one JSON document; None for one with an object a line.

    Raises:
        CorpusError: it is neither.
    """
    if path.name.removesuffix(".gz").endswith((".jsonl", ".ndjson")):
        return None
    text: list[Line] = list(text_lines(path))
    if len(text) > 1 and text[0].text.rstrip().endswith("}") and text[1].text.startswith("{"):
        return None
    try:
        value = json.loads(
            "\n".join(line.text for line in text), object_pairs_hook=_unrepeated, parse_constant=_no_number
        )
    except (ValueError, RecursionError) as error:
        raise CorpusError(f"{path} is no JSON that can be read ({_reason(error)}); give {form}.") from None
    flat = isinstance(value, dict) and not any(isinstance(part, dict | list) for part in value.values())
    record = flat and value.keys() & {"_id", "id", "qid", "query_id", "query-id"}
    if record and len(text) > 1:
        raise CorpusError(f"{path} holds one object over {len(text):,} lines; write it in one line, as in JSON lines.")
    return None if record else value


def id_of(value: object) -> str:
    """An id as text: a whole number without `.0`, and no white space at its ends; empty for what is no id."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else ""
    name = bare(str(value))
    return "" if UNSTORABLE.search(name) else name


def refuse_record(path: Path, record: Record, problem: str, *, form: str) -> NoReturn:
    """Raise CorpusError for one object of a file."""
    refuse(path, record.number, problem, record.text, form=form)


def _unrepeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{twice[:80]!r} stands twice in one object")
    return values


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _reason(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "its brackets are nested too deep"
    return str(error).partition(";")[0]
