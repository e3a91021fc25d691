"""Stopping early is learned for a stated risk, and what it costs is measured on queries that it wasn't learned on."""

import math
from collections.abc import Sequence

import numpy as np
import pytest

from indexing.records import PassageId, Qrels, Query, QueryId, Ranking
from search.rerank.stopping import Course
from search.settings import PipelineSettings
from training.choosing.contenders import Contender
from training.choosing.gathered import GatheredQuery
from training.choosing.stopping import learn_stop, measure_stop, stopping_early

FIRST = [PassageId(f"p{place:02}") for place in range(10)]
CONTENDER = Contender(reranker="x", settings=PipelineSettings(rerank_depth=30, fusion="bm25"))


def falling(ids: Sequence[PassageId]) -> Ranking:
    """These passages in this order."""
    return Ranking(ids, -np.arange(len(ids), dtype=np.float32))


def course(read: int, lead: float, *, changed: bool = False) -> Course:
    """A list whose first ten places are the final ones, or in another order."""
    ids = FIRST[::-1] if changed else FIRST
    return Course(read, falling(ids), lead)


def queries(*leads: tuple[float, bool]) -> list[list[Course]]:
    """Of each query the lead after ten of thirty passages, and whether its first ten places change after that."""
    return [[course(10, lead, changed=changed), course(30, math.inf)] for lead, changed in leads]


def test_the_smallest_lead_is_learned_that_keeps_to_the_risk() -> None:
    """Of 39 queries one may change, as (1 + 1) / 40 = 5 %: the second change, at a lead of 1, is too many."""
    leads = [(10.0 + place, False) for place in range(35)] + [(5.0, True), (3.0, False), (1.0, True), (0.5, False)]
    assert learn_stop(queries(*leads)) == 3.0


def test_queries_of_one_lead_stop_together_or_not_at_all() -> None:
    leads = [(10.0 + place, False) for place in range(36)] + [(2.0, True), (2.0, True), (2.0, False)]
    assert learn_stop(queries(*leads)) == 10.0


def test_a_later_block_without_a_change_makes_up_for_an_earlier_one() -> None:
    """Every query changes if it stops at a lead of 1 after ten, and none at a lead of 2 after twenty."""
    one = [course(10, 1.0, changed=True), course(20, 2.0), course(30, math.inf)]
    assert learn_stop([one] * 39) == 2.0


@pytest.mark.parametrize(
    "leads",
    [
        [(9.0, False)] * 18,  # (0 + 1) / 19 = 5.3 %: too few to tell
        [(9.0, True)] * 39,
        [(-0.1, False)] * 39,  # what is unread is expected above the tenth
        [],
    ],
)
def test_nothing_is_learned_where_the_risk_cannot_be_kept(leads: Sequence[tuple[float, bool]]) -> None:
    assert learn_stop(queries(*leads)) is None


def gathered(number: int, *, late_best: bool) -> GatheredQuery:
    """Thirty passages in BM25's order: ten at about 2, ten at 0, ten at -5, of which the last may be the best."""
    ids = [PassageId(f"p{place:02}") for place in range(30)]
    logits = [2.0 - place / 100 for place in range(10)] + [0.0] * 10 + [-5.0] * 9 + [9.0 if late_best else -5.0]
    return GatheredQuery(
        query=Query(QueryId(str(number)), "q"),
        bm25=falling(ids),
        dense={},
        cosines={},
        logits={"x": dict(zip(ids, logits, strict=True))},
    )


def test_what_is_lost_saved_and_changed_is_measured_on_the_other_half() -> None:
    """One of four queries has its only relevant passage last, which stopping after twenty of thirty never reads.

    It loses nDCG 1 at the first place, so 1/4 on average; 20 of 30 pairs are read, so a third is saved.
    """
    learned = [gathered(number, late_best=False) for number in range(20)]
    others = [gathered(number, late_best=number == 100) for number in range(100, 104)]
    qrels: Qrels = {
        one.query.id: {PassageId("p29" if one.query.id == "100" else "p00"): 1} for one in (*learned, *others)
    }
    found = measure_stop(CONTENDER, learned, others, qrels)
    assert found is not None
    assert (found.learned_on, found.learned_changed) == (20, 0)
    assert (found.queries, found.changed, found.pairs, found.all_pairs) == (4, 1, 20, 30)
    assert found.saved == pytest.approx(1 / 3)
    assert found.lost == pytest.approx(1 / 4)
    assert "saves 33% of the pairs and loses +0.2500 nDCG@10" in found.sentence("x")
    assert "of 1 of 4 queries are others; where it was learned, of 0 of 20" in found.sentence("x")
    stopped = others[0].rank(stopping_early(CONTENDER, found.stop))
    assert stopped.passage_ids[0] == "p00"
    assert len(stopped) == 20
    assert others[0].rank(CONTENDER).passage_ids[0] == "p29"


def test_late_interaction_that_orders_has_read_everything_and_can_save_nothing() -> None:
    by_late = Contender(reranker="late", settings=PipelineSettings(rerank_depth=30, rerank_order="late"))
    assert measure_stop(by_late, [], [], {}) is None


def test_a_pipeline_that_saves_nothing_has_no_stop() -> None:
    few = [gathered(number, late_best=False) for number in range(5)]
    assert measure_stop(CONTENDER, few, few, {one.query.id: {PassageId("p00"): 1} for one in few}) is None
