"""Trims examples for training: distinct passages, limited in number, or the reason why a query yields no example."""

import random
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from indexing.corpus.same_text import text_key
from indexing.whitespace import squeeze
from training.example import CONTRADICTED, NO_NEGATIVE, NO_POSITIVE, Example, OnSkip

BEYOND = "passage beyond {} of its query"


class _Passage(NamedTuple):
    text: str
    label: float
    score: float


def trim(
    examples: Iterable[Example], *, per_query: int, others: int = 0, seed: int, on_skip: OnSkip
) -> Iterator[Example]:
    """Each example that has scores, or a relevant and another passage; `on_skip` gets a reason for every other one.

    Runs of white space become one space. Of passages that say the same, as `text_key` compares, the one with the
    highest label stays; `on_skip` gets a reason where both a relevant passage and another one say it. At most
    `per_query` (2 or more) passages remain, relevant ones first. Those with the highest labels take half of the places,
    or more if there are few others, but they leave `others` places to these; the others are drawn at random, depending
    only on the seed and the query. An example with scores and no relevant passage loses its labels, which are all
    equal. `on_skip` gets a reason for each passage that doesn't remain.
    """
    for example in examples:
        passages = _distinct(example, on_skip)
        positives = sorted((passage for passage in passages if passage.label > 0), key=lambda passage: -passage.label)
        rest = [passage for passage in passages if passage.label <= 0]
        if example.scores is None and not (positives and rest):
            on_skip(NO_NEGATIVE if positives else NO_POSITIVE)
            continue
        chosen = positives[: max(1, min(max(per_query // 2, per_query - len(rest)), per_query - others))]
        chosen += _draw(rest, per_query - len(chosen), f"{seed}/{example.query}")
        for _ in range(len(passages) - len(chosen)):
            on_skip(BEYOND.format(per_query))
        yield Example(
            example.source,
            squeeze(example.query),
            tuple(passage.text for passage in chosen),
            labels=tuple(passage.label for passage in chosen) if positives else None,
            scores=None if example.scores is None else tuple(passage.score for passage in chosen),
            query_id=example.query_id,
        )


def _distinct(example: Example, on_skip: OnSkip) -> list[_Passage]:
    nothing = (0.0,) * len(example.passages)
    best: dict[str, _Passage] = {}
    for passage, label, score in zip(
        example.passages, example.labels or nothing, example.scores or nothing, strict=True
    ):
        key = text_key(passage)
        if key in best and (label > 0) != (best[key].label > 0):
            on_skip(CONTRADICTED)
        if key not in best or label > best[key].label:
            best[key] = _Passage(squeeze(passage), float(label), score)
    return list(best.values())


def _draw(passages: Sequence[_Passage], count: int, seed: str) -> Sequence[_Passage]:
    """`count` of the passages at random, in their order."""
    if len(passages) <= count:
        return passages
    return [passages[place] for place in sorted(random.Random(seed).sample(range(len(passages)), count))]
