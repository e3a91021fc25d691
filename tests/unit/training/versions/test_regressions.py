"""Which queries a candidate answers worse, and what both put first."""

import pytest

from indexing.records import PassageId, Query, QueryId, Ranking, Run
from training.evaluation.candidates import Candidates, ndcg
from training.versions.regressions import FIRST, MOST, PlacedPassage, worst_regressions

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


def test_those_that_lose_most_come_first_with_both_lists() -> None:
    chosen = lists(3)
    promoted: Run = {query.id: ranked("a", "b", "c", "d") for query in chosen.queries}
    candidate: Run = {
        QueryId("q0"): ranked("b", "a", "c", "d"),  # the relevant passage falls to place 2
        QueryId("q1"): ranked("a", "c", "b", "d"),  # nothing that counts has changed
        QueryId("q2"): ranked("b", "c", "d", "a"),  # to place 4
    }
    after, before = ndcg(candidate, chosen), ndcg(promoted, chosen)
    worst = worst_regressions(chosen, candidate=candidate, promoted=promoted, after=after, before=before)
    assert [one.query for one in worst] == ["query q2", "query q0"]
    assert worst[0].before == pytest.approx(1)
    assert worst[0].after == pytest.approx(0.4307, abs=1e-4)  # 1 / log2(4 + 1)
    assert worst[1].after == pytest.approx(0.6309, abs=1e-4)  # 1 / log2(2 + 1)
    assert worst[1].candidate == (
        PlacedPassage("text of b", 0),
        PlacedPassage("text of a", 3),
        PlacedPassage("text of c", None),
    )
    assert len(worst[0].promoted) == FIRST
    assert worst[0].promoted[0] == PlacedPassage("text of a", 3)


def test_no_more_are_shown_than_can_be_read() -> None:
    chosen = lists(MOST + 2)
    before = {query.id: 1.0 for query in chosen.queries}
    after = {query.id: 0.5 for query in chosen.queries}
    worst = worst_regressions(chosen, candidate=chosen.run, promoted=chosen.run, after=after, before=before)
    assert [one.query for one in worst] == [f"query q{number}" for number in range(MOST)]
