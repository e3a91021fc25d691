"""Reads JSON lines of examples, in the forms of sentence-transformers, FlagEmbedding, Tevatron, DPR and our own."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from indexing.errors import CorpusError
from indexing.records import QueryId
from training.data.readers.json_fields import JsonExample, find_example
from training.data.readers.lines import json_record, placed_lines
from training.example import NO_POSITIVE, Example, OnSkip
from training.source import Source

WINDOW = 100_000  # passages in memory while the other pairs of their queries are looked for
Placed = tuple[str, JsonExample]
"""An example and where it stands."""


def json_examples(source: Source, *, on_skip: OnSkip) -> Iterator[Example]:
    """One example per line, or per query whose passages stand in lines of their own, at most WINDOW passages apart.

    A line has `query`, `positives`, and optionally `query_id`, `negatives`, `grades` and `scores`, or what other tools
    call these: see `json_fields`.

    Raises:
        CorpusError: a line holds no example, gives a query's id to another text, or is too far from its query's others.
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


def _same_ids(lines: Iterable[Placed]) -> Iterator[Placed]:
    """The examples with their places, each id of which stands for one query."""
    first: dict[str, tuple[str, int]] = {}
    for place, found in lines:
        if found.query_id is not None:
            earlier, text = first.setdefault(found.query_id, (place, hash(found.query)))
            if text != hash(found.query):
                raise CorpusError(
                    f"{place}: query id {found.query_id[:80]!r} has another text in {earlier}; give each query an id "
                    "of its own."
                )
        yield place, found


def _joined(lines: Iterable[Placed]) -> Iterator[JsonExample]:
    """The pairs of one query as one example, others as they are, in the order of their first lines."""
    waiting: dict[object, list[JsonExample]] = {}
    passages, gone = 0, set[int]()
    for place, found in lines:
        if not found.pair and not waiting:
            yield found
            continue
        pair = (found.query, found.query_id, found.labels is None, found.scores is None)
        key: object = pair if found.pair else place
        if hash(key) in gone:
            raise CorpusError(
                f"{place}: the other passages of the query {found.query[:80]!r} lie {WINDOW:,} passages or more "
                "before this one; sort the file by query."
            )
        waiting.setdefault(key, []).append(found)
        passages += len(found.passages)
        while passages > WINDOW and len(waiting) > 1:
            oldest = next(iter(waiting))
            gone.add(hash(oldest))
            first = _together(waiting.pop(oldest))
            passages -= len(first.passages)
            yield first
    yield from map(_together, waiting.values())


def _together(pairs: list[JsonExample]) -> JsonExample:
    """Pairs of one query, all with labels and all with scores or none, as one example; another example is alone."""
    labels = [label for pair in pairs for label in pair.labels or ()]
    scores = [score for pair in pairs for score in pair.scores or ()]
    return replace(
        pairs[0],
        passages=tuple(passage for pair in pairs for passage in pair.passages),
        labels=tuple(labels) if labels else None,
        scores=tuple(scores) if scores else None,
    )
