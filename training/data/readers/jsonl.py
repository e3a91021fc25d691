"""Reads JSON lines, each with a query, its relevant passages and others."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from indexing.records import QueryId
from training.data.readers.lines import data_lines, identifier, json_record, numbers, text, texts
from training.example import NO_POSITIVE, Example, OnSkip
from training.source import Source


def json_examples(source: Source, *, on_skip: OnSkip) -> Iterator[Example]:
    """An example a line: `query`, `positives`, and where given `query_id`, `negatives`, `grades` and `scores`.

    Raises:
        CorpusError: at the first line that holds none.
    """
    for example in data_lines(source.path, partial(_example, source.label())):
        if example is None:
            on_skip(NO_POSITIVE)
        else:
            yield example


def _example(source: str, line: str) -> Example | None:
    """The example of a line; None where it has no passage."""
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
    if scores is not None and len(scores) != len(positives) + len(negatives):
        raise ValueError(f"{len(scores)} scores for {len(positives)} positives and {len(negatives)} negatives")
    passages = (*positives, *negatives)
    if not passages:
        return None
    return Example(
        source,
        query,
        passages,
        labels=(*grades, *[0.0] * len(negatives)),
        scores=None if scores is None else tuple(scores),
        query_id=None if query_id is None else QueryId(query_id),
    )


def _either(record: Mapping[str, Any], many: str, one: str) -> list[str]:
    if record.get(many) is not None and record.get(one) is not None:
        raise ValueError(f"{many!r} and {one!r} are both given; keep one of them")
    return texts(record, many if record.get(one) is None else one)
