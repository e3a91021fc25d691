"""Reads JSON lines, each with a query, its relevant passages and its negatives."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from indexing.records import QueryId
from training.data.readers.lines import data_lines, identifier, json_record, numbers, text, texts
from training.example import NO_POSITIVE, Example, OnSkip
from training.source import Source


def json_examples(source: Source, *, on_skip: OnSkip) -> Iterator[Example]:
    """One example per line: `query`, `positives`, and optionally `query_id`, `negatives`, `grades` and `scores`.

    Raises:
        CorpusError: a line holds no example.
    """
    for example in data_lines(source.path, partial(_example, source.label())):
        if example is None:
            on_skip(NO_POSITIVE)
        else:
            yield example


def _example(source: str, line: str) -> Example | None:
    """The example of a line; None if it has no passage."""
    record = json_record(line)
    query = text(record.get("query"), "query")
    query_id = identifier(record.get("query_id"), "query_id")
    if record.get("positives") is None and record.get("positive") is None:
        raise ValueError("'positives' is missing")
    positives, negatives = _either(record, "positives", "positive"), _either(record, "negatives", "negative")
    grades = numbers(record, "grades")
    if grades is None:
        grades = [1.0] * len(positives)
    if len(grades) != len(positives) or not all(grade > 0 for grade in grades):
        raise ValueError(f"'grades' must be {len(positives)} numbers above 0, one for each positive")
    scores = numbers(record, "scores")
    if scores is not None and len(scores) != len(positives) + len(negatives):
        raise ValueError(
            f"'scores' has {len(scores)} numbers for {len(positives)} positives and {len(negatives)} negatives"
        )
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


def _either(record: Mapping[str, Any], plural: str, singular: str) -> list[str]:
    if record.get(plural) is not None and record.get(singular) is not None:
        raise ValueError(f"it has both {plural!r} and {singular!r}")
    return texts(record, plural if record.get(singular) is None else singular)
