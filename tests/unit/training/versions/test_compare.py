"""Two re-rankers on the same lists: their means, the difference by query, and the first stage beside them."""

from math import log2

import pytest

from indexing.errors import SettingsError
from indexing.judged.sets import JudgedSet
from indexing.records import PassageId, Query, QueryId
from search.pipeline import RetrieveAndRerank
from tests.conftest import PASSAGES
from tests.support.fakes import FixedReranker, Reports
from training.versions.compare import FIRST_STAGE, compare_versions

QUERY = Query(QueryId("4"), "how does a lighthouse lens work")
JUDGED = JudgedSet("test", (QUERY,), {QUERY.id: {PassageId("b2"): 1}})
DEPTH = 20


def first(passage_id: str) -> FixedReranker:
    """Puts one passage first and the others in the order of their ids, by their texts' place."""
    texts = list(PASSAGES.values())
    scores = {text: -float(place) for place, text in enumerate(texts)}
    return FixedReranker({**scores, PASSAGES[passage_id]: 1.0})


def test_versions_are_measured_on_the_same_lists(pipeline: RetrieveAndRerank) -> None:
    seen = Reports()
    compared = compare_versions(
        {"mine/1": first("b2"), "mine/2": first("d1")},
        pipeline,
        JUDGED,
        baseline="mine/2",
        depth=DEPTH,
        progress=seen,
    )
    # b2 is at rank 1, or behind d1 and the six passages a1 to b1, at rank 8: 1 / log2(8 + 1)
    means = {name: measured.means["nDCG@10"] for name, measured in compared.comparison.systems.items()}
    assert means["mine/1"] == pytest.approx(1)
    assert means["mine/2"] == pytest.approx(1 / log2(9))
    assert compared.comparison.versus["mine/1"].difference == pytest.approx(1 - 1 / log2(9))
    assert compared.comparison.versus["mine/1"].outcomes == (1, 0, 0)
    assert FIRST_STAGE in means
    assert FIRST_STAGE not in compared.comparison.versus
    assert compared.queries == (QUERY,)
    assert seen.rows == [(FIRST_STAGE, 1, 1), ("re-rank by mine/1", 1, 1), ("re-rank by mine/2", 1, 1)]


def test_a_set_without_queries_is_refused(pipeline: RetrieveAndRerank) -> None:
    with pytest.raises(SettingsError, match="The dev split has no judged query"):
        compare_versions({"a": first("b2")}, pipeline, JudgedSet("dev", (), {}), baseline="a", depth=5)
