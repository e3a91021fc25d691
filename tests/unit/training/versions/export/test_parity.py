"""Tau and the difference of nDCG are those computed by hand, and too much of either is refused."""

from dataclasses import replace
from math import log2

import numpy as np
import pytest

from indexing.errors import ModelError, SettingsError
from indexing.records import PassageId, Query, QueryId, Ranking
from tests.support.fakes import FixedReranker
from training.evaluation.candidates import Candidates
from training.versions.export.parity import Parity, parity

SAME = Parity(queries=2, pairs=40, tau=1.0, least_tau=1.0, ndcg=0.5, ndcg_difference=0.0, largest_difference=1e-6)


def candidates() -> Candidates:
    """Two queries with three passages each; a is relevant to the first, f to the second."""
    ids = {"1": "abc", "2": "def"}
    queries = tuple(Query(QueryId(key), f"query {key}") for key in ids)
    run = {QueryId(key): Ranking.sort((PassageId(name), 0.0) for name in names) for key, names in ids.items()}
    qrels = {QueryId("1"): {PassageId("a"): 1}, QueryId("2"): {PassageId("f"): 1}}
    return Candidates(queries, qrels, run, {PassageId(name): name for name in "abcdef"})


def test_parity_is_that_computed_by_hand() -> None:
    original = FixedReranker({"a": 3.0, "b": 2.0, "c": 1.0, "d": 1.0, "e": 2.0, "f": 3.0})
    exported = FixedReranker({"a": 1.5, "b": 2.0, "c": 1.0, "d": 1.0, "e": 2.25, "f": 3.0})
    found = parity(original, exported, candidates())
    assert (found.queries, found.pairs) == (2, 6)
    assert (found.tau, found.least_tau) == pytest.approx(((1 / 3 + 1) / 2, 1 / 3))
    assert found.ndcg == pytest.approx(1)
    assert found.ndcg_difference == pytest.approx((1 / log2(3) + 1) / 2 - 1)  # a went from rank 1 to 2
    assert found.largest_difference == 1.5


def test_lists_without_passages_are_refused() -> None:
    given = candidates()
    empty = replace(given, run={query: Ranking((), np.empty(0, dtype=np.float32)) for query in given.run})
    with pytest.raises(SettingsError, match="every one is empty"):
        parity(FixedReranker({}), FixedReranker({}), empty)


def test_the_same_ranking_passes() -> None:
    SAME.check()


@pytest.mark.parametrize(("tau", "difference"), [(0.97, 0.0), (1.0, 0.006), (1.0, -0.006)])
def test_another_ranking_is_refused_with_its_figures(tau: float, difference: float) -> None:
    with pytest.raises(ModelError, match=r"tau .* nDCG@10 0\.5000 .* Nothing was kept"):
        replace(SAME, tau=tau, ndcg_difference=difference).check()
