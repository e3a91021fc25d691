"""Which graded queries a training can learn from."""

import pytest

from indexing.records import PassageId
from training.judgments.enough import queries_that_train
from training.judgments.feedback import Grade


def grade(query: str, passage: str, given: int, *, rater: str = "ann", protected: bool = False) -> Grade:
    return Grade(
        query=query,
        normalized=query.lower(),
        query_id=None,
        passage_id=PassageId(passage),
        text="",
        grade=given,
        rater=rater,
        protected=protected,
    )


@pytest.mark.parametrize(
    ("grades", "count"),
    [
        ([], 0),
        ([grade("bees", "a", 3)], 0),  # nothing that isn't relevant
        ([grade("bees", "a", 0)], 0),
        ([grade("bees", "a", 3), grade("bees", "b", 0)], 1),
        ([grade("bees", "a", 3), grade("Bees", "b", 0)], 1),  # one query in two spellings
        ([grade("bees", "a", 3), grade("wasps", "b", 0)], 0),
        ([grade("bees", "a", 3), grade("bees", "b", 0), grade("wasps", "a", 1), grade("wasps", "b", 0)], 2),
        ([grade("bees", "a", 3, protected=True), grade("bees", "b", 0)], 0),
        ([grade("bees", "a", 1), grade("bees", "a", 0, rater="bob"), grade("bees", "b", 0)], 1),  # (1 + 0) / 2 -> 1
        ([grade("bees", "a", 0), grade("bees", "a", 0, rater="bob"), grade("bees", "b", 0)], 0),
    ],
)
def test_a_query_trains_with_a_relevant_passage_and_one_that_is_not(grades: list[Grade], count: int) -> None:
    assert queries_that_train(grades) == count
