"""Reads JSON lines of examples, in the forms of sentence-transformers, FlagEmbedding, Tevatron, DPR and our own."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from indexing.errors import CorpusError
from indexing.records import QueryId
from training.data.readers.json_fields import JsonExample, find_example
from training.data.readers.lines import json_record, placed_lines
from training.example import NO_POSITIVE, Example, OnSkip
from training.source import Source


def json_examples(source: Source, *, on_skip: OnSkip) -> Iterator[Example]:
    """One example per line, or per consecutive lines with single passages of one query.

    A line has `query`, `positives`, and optionally `query_id`, `negatives`, `grades` and `scores`, or what other tools
    call these: see `json_fields`.

    Raises:
        CorpusError: a line holds no example, or gives a query's id to another text.
    """
    for found in _joined(_same_ids(placed_lines(source.path, lambda line: find_example(json_record(line))))):
        if not found.passages:
            on_skip(NO_POSITIVE)
            continue
        yield Example(
            source.label(),
            found.query,
            found.passages,
            labels=found.labels,
            scores=found.scores,
            query_id=None if found.query_id is None else QueryId(found.query_id),
        )


def _same_ids(lines: Iterable[tuple[str, JsonExample]]) -> Iterator[JsonExample]:
    """The examples, each id of which stands for one query."""
    first: dict[str, tuple[str, int]] = {}
    for place, found in lines:
        if found.query_id is not None:
            earlier, text = first.setdefault(found.query_id, (place, hash(found.query)))
            if text != hash(found.query):
                raise CorpusError(
                    f"{place}: query id {found.query_id[:80]!r} has another text in {earlier}; give each query an id "
                    "of its own."
                )
        yield found


def _joined(found: Iterable[JsonExample]) -> Iterator[JsonExample]:
    """Consecutive pairs of one query as one example; others as they are."""
    before: JsonExample | None = None
    for example in found:
        if before is not None and _continues(before, example):
            before = _both(before, example)
            continue
        if before is not None:
            yield before
        before = example if example.pair else None
        if before is None:
            yield example
    if before is not None:
        yield before


def _continues(before: JsonExample, example: JsonExample) -> bool:
    same = (before.query, before.query_id) == (example.query, example.query_id)
    alike = [(part.labels is None, part.scores is None) for part in (before, example)]
    return example.pair and same and alike[0] == alike[1]


def _both(before: JsonExample, example: JsonExample) -> JsonExample:
    return replace(
        before,
        passages=before.passages + example.passages,
        labels=None if before.labels is None else before.labels + (example.labels or ()),
        scores=None if before.scores is None else before.scores + (example.scores or ()),
    )
