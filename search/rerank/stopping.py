"""Re-ranks candidates in blocks, and stops where the first ten places hardly change any more.

The blocks follow the order that cuts the depth. After each, those that are unread are expected to score as the block
just read did on average; the lead is by how much the tenth of the list so far lies above the best of them.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from indexing.records import Floats, PassageId, Ranking
from search.fuse import interpolate, standardize

TOP = 10
"""The places that shouldn't change."""
BLOCK = TOP
"""Passages that are read at a time; as many as the places, so that these are filled after the first block."""

EMPTY = Ranking([], np.array([], dtype=np.float32))
Score = Callable[[Sequence[PassageId]], Floats]
"""The logits of some passages, (passages,) float32."""


class Course(NamedTuple):
    """How far re-ranking is after a block."""

    read: int
    """Candidates that were read so far."""
    ranking: Ranking
    """Those, re-ranked."""
    lead: float
    """Of the tenth over the best that is expected of the unread, in standard deviations of the re-ranker's scores;
    infinite once all are read."""


def rerank_in_order(
    candidates: Sequence[PassageId], other: Ranking, score: Score, *, weight: float, stop: float | None = None
) -> Ranking:
    """The candidates by the re-ranker's score times `weight` plus that of `other`, which ranks them, times the rest.

    `candidates` are in the order in which they are read. With `stop`, reading ends with the first block after which
    the lead is that large, and what wasn't read isn't in the list.
    """
    if stop is None:
        return _whole(candidates, other, score(candidates), weight)
    courses = rerank_in_blocks(candidates, other, score, weight=weight)
    return next(course.ranking for course in courses if course.lead >= stop)


def rerank_in_blocks(
    candidates: Sequence[PassageId], other: Ranking, score: Score, *, weight: float
) -> Iterator[Course]:
    """Each block is read when it is asked for; at the end the list is that of all candidates."""
    if not candidates:
        yield Course(0, EMPTY, math.inf)
        return
    known = dict(zip(other.passage_ids, other.scores.tolist(), strict=True))
    lowest = min(known.values(), default=0.0)
    others = standardize(np.array([known.get(name, lowest) for name in candidates], dtype=np.float32))
    logits = np.empty(0, dtype=np.float32)  # (read,)
    for start in range(0, len(candidates), BLOCK):
        block = score(candidates[start : start + BLOCK])
        logits = np.concatenate([logits, block])
        if len(logits) == len(candidates):
            yield Course(len(logits), _whole(candidates, other, logits, weight), math.inf)
        else:
            yield _part(candidates, others, logits, weight)


def scores_of(ranking: Ranking) -> Score:
    """Looks up scores that were computed before."""
    known = dict(zip(ranking.passage_ids, ranking.scores.tolist(), strict=True))
    return lambda passage_ids: np.array([known[name] for name in passage_ids], dtype=np.float32)


def _part(candidates: Sequence[PassageId], others: Floats, logits: Floats, weight: float) -> Course:
    """The list after some blocks, whose mean and deviation are those of all if the unread are as the last block is."""
    read, left = len(logits), len(candidates) - len(logits)
    counts = np.ones(read)  # of candidates that each logit stands for
    counts[-BLOCK:] += left / BLOCK
    mean = np.average(logits, weights=counts)
    deviation = math.sqrt(np.average((logits - mean) ** 2, weights=counts)) or 1.0
    mixed = weight * (logits - mean) / deviation + (1 - weight) * others[:read]  # (read,) float64
    expected = weight * (logits[-BLOCK:].mean() - mean) / deviation + (1 - weight) * others[read:].max()
    scores = mixed if weight < 1 else logits
    ranking = Ranking.sort(zip(candidates[:read], scores.tolist(), strict=True))
    return Course(read, ranking, float(np.sort(mixed)[-TOP] - expected))


def _whole(candidates: Sequence[PassageId], other: Ranking, logits: Floats, weight: float) -> Ranking:
    reranked = Ranking.sort(zip(candidates, logits.tolist(), strict=True))
    return interpolate(reranked, other, weight=weight) if weight < 1 else reranked
