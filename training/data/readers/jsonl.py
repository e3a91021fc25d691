"""Fields of JSON lines that hold training data."""

from collections.abc import Mapping
from typing import Any

from indexing.records import QueryId
from training.data.readers.lines import identifier, json_record, numbers, text, texts
from training.data.readers.passage_lists import Entry, PassageList


def _json_list(line: str) -> PassageList:
    record = json_record(line)
    query = text(record.get("query"), "query")
    query_id = identifier(record.get("query_id"), "query_id")
    if record.get("positives") is None and record.get("positive") is None:
        raise ValueError("there are no 'positives'")
    positives, negatives = _either(record, "positives", "positive"), _either(record, "negatives", "negative")
    grades = numbers(record, "grades")
    if grades is None:
        grades = [1.0] * len(positives)
    if len(grades) != len(positives) or not all(grade > 0 for grade in grades):
        raise ValueError(f"'grades' must be {len(positives)} numbers above 0, one for each positive")
    scores = numbers(record, "scores")
    given = [None] * (len(positives) + len(negatives)) if scores is None else scores
    if len(given) != len(positives) + len(negatives):
        raise ValueError(f"{len(given)} scores for {len(positives)} positives and {len(negatives)} negatives")
    labels = [*grades, *[0.0] * len(negatives)]
    entries = [Entry(*values) for values in zip([*positives, *negatives], labels, given, strict=True)]
    return PassageList(query, entries, None if query_id is None else QueryId(query_id))


def _either(record: Mapping[str, Any], many: str, one: str) -> list[str]:
    if record.get(many) is not None and record.get(one) is not None:
        raise ValueError(f"{many!r} and {one!r} are both given; keep one of them")
    return texts(record, many if record.get(one) is None else one)
