"""Which queries a candidate answers better and worse, how many, and what both put first."""

import pytest

from indexing.records import PassageId, Query, QueryId, Ranking, Run
from training.evaluation.candidates import Candidates, ndcg
from training.evaluation.significance import Outcomes
from training.versions.changed_queries import FIRST, MOST, PlacedPassage, changed_queries

TEXTS = {PassageId(name): f"text of {name}" for name in ("a", "b", "c", "d")}


def ranked(*order: str) -> Ranking:
    return Ranking.sort((PassageId(name), float(-place)) for place, name in enumerate(order))


def lists(queries: int) -> Candidates:
    ids = [QueryId(f"q{number}") for number in range(queries)]
    return Candidates(
        tuple(Query(name, f"query {name}") for name in ids),
        {name: {PassageId("a"): 3, PassageId("b"): 0} for name in ids},
        {name: ranked("a", "b", "c", "d") for name in ids},
        TEXTS,
    )


def test_those_that_change_most_come_first_with_both_lists() -> None:
    chosen = lists(5)
    served: Run = {
        **{query.id: ranked("a", "b", "c", "d") for query in chosen.queries},
        QueryId("q3"): ranked("b", "a", "c", "d"),
        QueryId("q4"): ranked("b", "c", "d", "a"),
    }
    candidate: Run = {
        QueryId("q0"): ranked("b", "a", "c", "d"),  # the relevant passage falls to place 2
        QueryId("q1"): ranked("a", "c", "b", "d"),  # nothing that counts has changed
        QueryId("q2"): ranked("b", "c", "d", "a"),  # to place 4
        QueryId("q3"): ranked("a", "b", "c", "d"),  # it rises from place 2
        QueryId("q4"): ranked("a", "b", "c", "d"),  # from place 4
    }
    after, before = ndcg(candidate, chosen), ndcg(served, chosen)
    changes = changed_queries(chosen, candidate=candidate, served=served, after=after, before=before)
    assert changes.outcomes == Outcomes(wins=2, losses=2, ties=1)
    assert changes.sentence() == "Of these queries 2 won, 2 lost and 1 tied."
    assert [one.query for one in changes.lost] == ["query q2", "query q0"]
    assert [one.query for one in changes.gained] == ["query q4", "query q3"]
    worst, best = changes.lost[0], changes.gained[0]
    assert worst.before == best.after == pytest.approx(1)
    assert worst.after == best.before == pytest.approx(0.4307, abs=1e-4)  # 1 / log2(4 + 1)
    assert changes.lost[1].after == changes.gained[1].before == pytest.approx(0.6309, abs=1e-4)  # 1 / log2(2 + 1)
    assert changes.lost[1].candidate == (
        PlacedPassage("text of b", 0),
        PlacedPassage("text of a", 3),
        PlacedPassage("text of c", None),
    )
    assert len(worst.served) == FIRST
    assert worst.served[0] == best.candidate[0] == PlacedPassage("text of a", 3)


def test_no_more_are_shown_than_can_be_read() -> None:
    chosen = lists(MOST + 2)
    high, low = ({query.id: value for query in chosen.queries} for value in (1.0, 0.5))
    first = [f"query q{number}" for number in range(MOST)]
    worse = changed_queries(chosen, candidate=chosen.run, served=chosen.run, after=low, before=high)
    assert ([one.query for one in worse.lost], worse.gained) == (first, ())
    assert worse.outcomes == Outcomes(wins=0, losses=MOST + 2, ties=0)
    better = changed_queries(chosen, candidate=chosen.run, served=chosen.run, after=high, before=low)
    assert ([one.query for one in better.gained], better.lost) == (first, ())
