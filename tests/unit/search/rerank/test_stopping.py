"""Re-ranking in blocks of ten gives the whole list at the end, and before that the lead of the tenth."""

import math
from collections.abc import Sequence

import numpy as np
import pytest

from indexing.records import Floats, PassageId, Ranking
from search.fuse import interpolate
from search.rerank.stopping import rerank_in_blocks, rerank_in_order, scores_of

IDS = [PassageId(f"p{place:02}") for place in range(30)]
OTHER = Ranking.sort((name, float(-place)) for place, name in enumerate(IDS))


class Reads:
    """Logits by passage, and how many were read at a time."""

    def __init__(self, logits: Sequence[float]) -> None:
        self._logits = dict(zip(IDS, logits, strict=True))
        self.blocks: list[int] = []

    def __call__(self, passage_ids: Sequence[PassageId]) -> Floats:
        self.blocks.append(len(passage_ids))
        return np.array([self._logits[name] for name in passage_ids], dtype=np.float32)


def test_the_lead_is_that_of_the_tenth_over_what_the_last_block_lets_expect() -> None:
    """Ten passages at 2, ten at 0; the ten unread are expected at 0.

    As twenty at 0 and ten at 2: mean 20/30 = 2/3, variance (20 * 4/9 + 10 * 16/9) / 30 = 8/9, so that the tenth leads
    by (2 - 0) / sqrt(8/9) = 2.1213 standard deviations. After the first block all are equal, and the lead is 0.
    """
    reads = Reads([2.0] * 10 + [0.0] * 10 + [-5.0] * 10)
    first, second, last = rerank_in_blocks(IDS, OTHER, reads, weight=1)
    assert (first.read, first.lead) == (10, 0)
    assert second.read == 20
    assert second.lead == pytest.approx(2 / math.sqrt(8 / 9))
    assert (last.read, last.lead) == (30, math.inf)
    assert second.ranking == Ranking.sort(zip(IDS[:20], [2.0] * 10 + [0.0] * 10, strict=True))


def test_in_a_mixture_the_other_score_is_known_of_the_unread_too() -> None:
    """Equal logits add nothing: at half of the other score the tenth leads the eleventh by half of their distance.

    The other scores are 0 to -29, whose standard deviation is sqrt((30^2 - 1) / 12) = 8.6554; one place is 1 / 8.6554.
    """
    first = next(rerank_in_blocks(IDS, OTHER, Reads([1.0] * 30), weight=0.5))
    assert first.lead == pytest.approx(0.5 / math.sqrt((30**2 - 1) / 12), abs=1e-6)


def test_reading_stops_after_the_block_that_leads_far_enough() -> None:
    reads = Reads([2.0] * 10 + [0.0] * 10 + [-5.0] * 10)
    stopped = rerank_in_order(IDS, OTHER, reads, weight=1, stop=2.12)
    assert reads.blocks == [10, 10]
    assert stopped.passage_ids == tuple(IDS[:20])
    reads = Reads([2.0] * 10 + [0.0] * 10 + [-5.0] * 10)
    assert len(rerank_in_order(IDS, OTHER, reads, weight=1, stop=2.13)) == 30
    assert reads.blocks == [10, 10, 10]


@pytest.mark.parametrize("weight", [0.3, 1.0])
def test_without_a_stop_all_is_read_at_once_and_the_last_block_gives_the_same_list(weight: float) -> None:
    logits = np.random.default_rng(5).normal(size=30).tolist()
    reads = Reads(logits)
    whole = rerank_in_order(IDS, OTHER, reads, weight=weight)
    assert reads.blocks == [30]
    by_logit = Ranking.sort(zip(IDS, logits, strict=True))
    assert whole == (by_logit if weight == 1 else interpolate(by_logit, OTHER, weight=weight))
    *_, last = rerank_in_blocks(IDS, OTHER, scores_of(by_logit), weight=weight)
    assert last.ranking == whole


@pytest.mark.parametrize("count", [0, 1, 10])
def test_a_list_of_one_block_is_read_whole(count: int) -> None:
    reads = Reads([0.0] * 30)
    (only,) = rerank_in_blocks(IDS[:count], OTHER.top(count), reads, weight=0.5)
    assert (only.read, only.lead, len(only.ranking)) == (count, math.inf, count)
