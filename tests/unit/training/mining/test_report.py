"""A report adds up: every candidate and every query is counted where it belongs."""

import numpy as np
import pytest

from indexing.records import Candidate, PassageId, QueryId
from training.mining.negatives import RULES, MinedQuery, Positive
from training.mining.report import BINS, MiningReport, Tally, describe


def query(
    positives: tuple[float, ...], negatives: tuple[float, ...], *, rank: int | None = 1, **more: int
) -> MinedQuery:
    return MinedQuery(
        QueryId("q"),
        tuple(Positive(PassageId(f"p{place}"), 1, rank, score) for place, score in enumerate(positives)),
        tuple(Candidate(place + 1, PassageId(f"n{place}"), score) for place, score in enumerate(negatives)),
        dict.fromkeys(RULES, 0) | {"near-duplicate": 2, "min score": 1},
        **more,
    )


def report(*queries: MinedQuery, per_query: int = 2) -> MiningReport:
    tally = Tally(per_query=per_query, scale="bm25", protected=3)
    assert list(tally.watch(queries)) == list(queries)
    return tally.report()


EMPTY = MinedQuery(QueryId("e"), (), (), {})


def test_queries_are_counted_by_their_results() -> None:
    counts = report(query((9,), (1, 2)), query((9,), (1,)), query((9, 8), (), rank=None), EMPTY, EMPTY)
    assert (counts.queries, counts.without_positive, counts.without_negative, counts.too_few) == (5, 2, 1, 1)
    assert (counts.positives, counts.unreturned, counts.negatives, counts.protected) == (1 + 1 + 2, 2, 2 + 1, 3)


def test_candidates_are_negatives_dropped_and_not_drawn() -> None:
    counts = report(query((9,), (1, 2), not_drawn=5, judged_negatives=1, rescored=7), query((9,), (1,), not_drawn=6))
    assert counts.dropped == dict.fromkeys(RULES, 0) | {"near-duplicate": 4, "min score": 2}
    assert counts.not_drawn == 11
    assert counts.candidates == 3 + 11 + 4 + 2
    assert (counts.judged_negatives, counts.rescored) == (1, 7)


def test_histograms_share_their_edges_and_hold_every_score() -> None:
    # 20 bins from 0 to 10, each 0.5 wide, the last with both ends
    counts = report(query((10.0, 4.75), (0.0, 0.25)), query((9.5,), (4.5,)))
    assert counts.edges == pytest.approx(np.linspace(0, 10, BINS + 1))
    assert counts.positive_counts == (*(0,) * 9, 1, *(0,) * 9, 2)
    assert counts.negative_counts == (2, *(0,) * 8, 1, *(0,) * 10)


def test_negative_scores_have_their_bins_too() -> None:
    counts = report(query((-1.0,), (-11.0,)))
    assert (counts.edges[0], counts.edges[-1]) == (-11, -1)
    assert sum(counts.positive_counts) == sum(counts.negative_counts) == 1


def test_equal_scores_are_in_one_bin() -> None:
    counts = report(query((2.0,), (2.0, 2.0)))
    assert max(counts.negative_counts) == sum(counts.negative_counts) == 2


def test_nothing_scored_has_no_histogram() -> None:
    counts = report(EMPTY)
    assert (counts.edges, counts.positive_counts, counts.negative_counts) == ((), (), ())
    assert "0 negatives" in describe(counts)


def test_a_report_can_be_made_before_the_end() -> None:
    tally = Tally(per_query=2, scale="bm25")
    tally.add(query((9,), (1, 2)))
    assert tally.report().negatives == 2
    tally.add(query((9,), (1, 2)))
    assert tally.report().negatives == 4


def test_the_text_names_every_rule_and_every_bin() -> None:
    text = describe(report(query((10.0,), (0.0, 1234.0), not_drawn=1234)))
    assert all(rule in text for rule in RULES)
    assert "1,234" in text
    assert "bm25" in text
    assert text.count("positives ") >= BINS
    assert text.count("negatives ") >= BINS
