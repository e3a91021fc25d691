"""Makes examples of queries with their judged passages, each passage once, or says why a query makes none."""

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from indexing.records import QueryId
from indexing.whitespace import squeeze
from training.example import ALONE, NO_POSITIVE, Example, Skipped


class Entry(NamedTuple):
    """One passage of a query. `label` above 0 is relevant; `score` is None where no teacher scored it."""

    text: str
    label: float
    score: float | None = None


@dataclass(frozen=True, slots=True)
class PassageList:
    """What a file says of one query: either every entry has a score or none."""

    query: str
    entries: Sequence[Entry]
    query_id: QueryId | None = None


def examples(
    lists: Iterable[PassageList], *, source: str, per_query: int, seed: int, skipped: Skipped
) -> Iterator[Example]:
    """An example for each list that has a positive and another passage, or scores; `skipped` is told of each other.

    Runs of white space become one space. Of passages that read the same the one with the highest label stays. At most
    `per_query` passages, 2 or more, are kept, positives first: the best labelled ones in half of the places, or in more
    where there is little else, and others by a draw that depends on the seed and the query alone. Where there are
    scores and no positive, there are no labels: they would all be equal.
    """
    for item in lists:
        entries = _distinct(item.entries)
        positives = sorted((entry for entry in entries if entry.label > 0), key=lambda entry: -entry.label)
        others = [entry for entry in entries if entry.label <= 0]
        scores = [entry.score for entry in entries if entry.score is not None]
        if not entries or not (scores or (positives and others)):
            skipped(ALONE if positives else NO_POSITIVE)
            continue
        kept = positives[: max(per_query // 2, per_query - len(others))]
        kept += _drawn(others, per_query - len(kept), f"{seed}/{item.query}")
        yield Example(
            source,
            squeeze(item.query),
            tuple(entry.text for entry in kept),
            labels=tuple(float(entry.label) for entry in kept) if positives else None,
            scores=tuple(entry.score for entry in kept if entry.score is not None) if scores else None,
            query_id=item.query_id,
        )


def _distinct(entries: Iterable[Entry]) -> list[Entry]:
    best: dict[str, Entry] = {}
    for entry in entries:
        text = squeeze(entry.text)
        if text not in best or entry.label > best[text].label:
            best[text] = entry._replace(text=text)
    return list(best.values())


def _drawn(entries: Sequence[Entry], count: int, seed: str) -> Sequence[Entry]:
    """`count` of the entries, in their order."""
    if len(entries) <= count:
        return entries
    return [entries[place] for place in sorted(random.Random(seed).sample(range(len(entries)), count))]
