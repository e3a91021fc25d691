"""Turns examples into the rows that each kind of loss takes, with columns in the order of the loss's arguments."""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from training.example import Example

Row = dict[str, Any]
NEGATIVES = 5  # in an n-tuple, as in the recipe `cmnrl`
MARGINS = 4  # pairs per example whose margins are learned


@dataclass(frozen=True)
class Form:
    """One form of rows, and how to make them from an example."""

    needs: str
    """What an example must have: `labels` or `scores`."""
    columns: tuple[str, ...]
    """In the order of the loss's arguments, the label last."""
    make: Callable[[Example, random.Random], Iterator[Row]]
    pairs: Callable[[Row], int]
    """Number of (query, passage) pairs in a row."""
    least: str
    """What a query must have to make a row, as a phrase for messages."""
    or_scores: bool = False
    """Whether a teacher's scores are used if there are no labels."""
    others: int = 0
    """Passages that aren't relevant which a row needs."""


def rows_of(example: Example, form: Form, *, seed: int) -> list[Row]:
    """An example's rows; empty if it lacks the form's `least`.

    Random choices depend only on the seed and the query.
    """
    return list(form.make(example, random.Random(f"{seed}/{example.query}")))


def _labels(example: Example) -> Sequence[float]:
    return example.labels or ()


def _scores(example: Example) -> Sequence[float]:
    return example.scores or ()


def _split(example: Example) -> tuple[list[str], list[str]]:
    """The relevant passages, and the others."""
    both = list(zip(example.passages, _labels(example), strict=True))
    return [text for text, label in both if label > 0], [text for text, label in both if label <= 0]


def _pairs(example: Example, _: random.Random) -> Iterator[Row]:
    positives, negatives = _split(example)
    if positives and negatives:
        soft = max(_labels(example)) <= 1  # as probabilities are; grades above 1 mean relevant or not
        for passage, label in zip(example.passages, _labels(example), strict=True):
            yield {"query": example.query, "passage": passage, "label": max(float(label if soft else label > 0), 0.0)}


def _n_tuples(example: Example, rng: random.Random) -> Iterator[Row]:
    positives, negatives = _split(example)
    if len(negatives) >= NEGATIVES:
        for positive in positives:
            drawn = rng.sample(negatives, NEGATIVES)
            numbered = {f"negative_{place}": text for place, text in enumerate(drawn, start=1)}
            yield {"query": example.query, "positive": positive, **numbered}


def _lists(example: Example, _: random.Random) -> Iterator[Row]:
    """Lists with grades; without grades, each score minus the list's lowest, since losses take no label below 0."""
    scores = _scores(example)
    labels = [score - min(scores) for score in scores] if example.labels is None else _labels(example)
    if any(label > 0 for label in labels) and any(label <= 0 for label in labels):
        yield {"query": example.query, "passages": list(example.passages), "labels": [float(x) for x in labels]}


def _ordered(example: Example, _: random.Random) -> Iterator[Row]:
    """Lists labeled by the teacher's order: the best of n passages gets n, the last 1; equal scores share a label."""
    scores = _scores(example)
    if len(set(scores)) > 1:
        labels = [float(sum(other <= score for other in scores)) for score in scores]
        yield {"query": example.query, "passages": list(example.passages), "labels": labels}


def _scored_lists(example: Example, _: random.Random) -> Iterator[Row]:
    scores = [float(score) for score in _scores(example)]
    if len(set(scores)) > 1:
        yield {"query": example.query, "passages": list(example.passages), "labels": scores}


def _scored_pairs(example: Example, _: random.Random) -> Iterator[Row]:
    for passage, score in zip(example.passages, _scores(example), strict=True):
        yield {"query": example.query, "passage": passage, "label": float(score)}


def _margins(example: Example, rng: random.Random) -> Iterator[Row]:
    """At most MARGINS pairs of a better and a worse passage by label, else by score, with the teacher's margin."""
    scored = list(zip(example.passages, _scores(example), _labels(example) or _scores(example), strict=True))
    couples = [(a, b) for a in scored for b in scored if a[2] > b[2]]
    for better, worse in rng.sample(couples, min(len(couples), MARGINS)):
        row = {"query": example.query, "positive": better[0], "negative": worse[0]}
        yield row | {"label": float(better[1] - worse[1])}


def _of_list(row: Row) -> int:
    return len(row["passages"])


_JUDGED = "1 relevant passage and 1 other"
_APART = "2 passages of different scores"
FORMS: Mapping[str, Form] = {
    "pairs": Form("labels", ("query", "passage", "label"), _pairs, lambda _: 1, _JUDGED),
    "n-tuples": Form(
        "labels",
        ("query", "positive", *(f"negative_{place}" for place in range(1, NEGATIVES + 1))),
        _n_tuples,
        lambda _: 1 + NEGATIVES,
        f"1 relevant passage and {NEGATIVES} others",
        others=NEGATIVES,
    ),
    "lists": Form(
        "labels", ("query", "passages", "labels"), _lists, _of_list, f"{_JUDGED}, or {_APART}", or_scores=True
    ),
    "ordered-lists": Form("scores", ("query", "passages", "labels"), _ordered, _of_list, _APART),
    "scored-lists": Form("scores", ("query", "passages", "labels"), _scored_lists, _of_list, _APART),
    "scored-pairs": Form("scores", ("query", "passage", "label"), _scored_pairs, lambda _: 1, "1 passage with a score"),
    "margins": Form("scores", ("query", "positive", "negative", "label"), _margins, lambda _: 2, _APART),
}
