"""How alike two rankings of one query are: shared passages, rank-biased overlap, Kendall's tau."""

import math
from bisect import bisect
from collections import Counter
from collections.abc import Hashable, Iterable
from typing import NamedTuple

from indexing.errors import SettingsError
from indexing.records import PassageId, Ranking


class Overlap(NamedTuple):
    """Passages that two rankings have in common within their first places."""

    shared: int
    of: int
    """The most that they could share: the cutoff, or the longer ranking's length if that is less."""


def overlap(first: Ranking, second: Ranking, *, cutoff: int = 10) -> Overlap:
    """The passages that both have among their first `cutoff`, in any order."""
    heads = [set(ranking.passage_ids[:cutoff]) for ranking in (first, second)]
    return Overlap(len(heads[0] & heads[1]), max(map(len, heads)))


def rank_biased_overlap(first: Ranking, second: Ranking, *, p: float = 0.9) -> float:
    """Extrapolated rank-biased overlap, 0 to 1 (Webber, Moffat & Zobel 2010, RBO_EXT, equation 32).

    The agreement at each depth, weighted by a power of `p`: with 0.9 the first ten places carry 86% of the weight.
    Past the end of a ranking, the agreement is assumed to stay as it was at that end. Two empty rankings are equal.

    Raises:
        SettingsError: `p` isn't between 0 and 1.
    """
    if not 0 < p < 1:
        raise SettingsError(f"RBO's p is {p}; give a number between 0 and 1 (usual: 0.9).")
    short, long = sorted((first.passage_ids, second.passage_ids), key=len)
    if not short:
        return 0.0 if long else 1.0
    ends, total = len(short), 0.0
    seen: set[PassageId] = set()
    shared = shared_within = 0  # passages in both so far, and within the shorter ranking's length
    for depth in range(1, len(long) + 1):
        for passage_id in (long[depth - 1], *short[depth - 1 : depth]):
            shared += passage_id in seen
            seen.add(passage_id)
        shared_within = shared if depth <= ends else shared_within
        missing = shared_within * max(depth - ends, 0) / ends  # what the shorter ranking would share if it were longer
        total += (shared + missing) / depth * p**depth
    rest = (shared - shared_within) / len(long) + shared_within / ends
    return (1 - p) / p * total + rest * p ** len(long)


def kendall_tau(first: Ranking, second: Ranking) -> float | None:
    """Kendall's tau-b of the scores of the passages that both hold (Kendall 1945), -1 to 1: 1 is the same order.

    Passages with the same score count as tied. If a ranking ties all of them, there is no order to compare: the
    result is 1 if both do, else 0. None if they share fewer than two passages.
    """
    others = dict(zip(second.passage_ids, second.scores.tolist(), strict=True))
    shared = [
        (score, others[passage_id])
        for passage_id, score in zip(first.passage_ids, first.scores.tolist(), strict=True)
        if passage_id in others
    ]
    if len(shared) < 2:
        return None
    tied_first, tied_second, tied_both = (
        _tied_pairs(values) for values in ([score for score, _ in shared], [score for _, score in shared], shared)
    )
    pairs = len(shared) * (len(shared) - 1) // 2
    untied_first, untied_second = pairs - tied_first, pairs - tied_second
    if not untied_first or not untied_second:
        return 1.0 if untied_first == untied_second else 0.0
    agreed_or_swapped = pairs - tied_first - tied_second + tied_both
    return (agreed_or_swapped - 2 * _swapped_pairs(shared)) / math.sqrt(untied_first * untied_second)


def _tied_pairs(values: Iterable[Hashable]) -> int:
    return sum(count * (count - 1) // 2 for count in Counter(values).values())


def _swapped_pairs(shared: Iterable[tuple[float, float]]) -> int:
    """Pairs of passages that the two scores order in opposite ways (Knight 1966)."""
    earlier: list[float] = []  # ascending second scores of the passages with a lower first score, or tied with it
    swapped = 0
    for _, score in sorted(shared):
        place = bisect(earlier, score)
        swapped += len(earlier) - place
        earlier.insert(place, score)
    return swapped
