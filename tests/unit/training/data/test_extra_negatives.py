"""Examples gain what the index finds for their queries, and nothing that they hold or that answers."""

import pytest

from indexing.records import QueryId
from search.pipeline import RetrieveAndRerank
from search.settings import QUERY_CHARACTERS, PipelineSettings
from tests.conftest import PASSAGES
from tests.support.fakes import Reports
from training.data.extra_negatives import add_negatives
from training.example import Example
from training.mining.settings import MiningSettings

QUERY = "how do bees make honey"
SETTINGS = MiningSettings(per_query=3, ranks=(1, 10), sampling="top", relative_margin=None)


def judged(*passages: str, labels: tuple[float, ...]) -> Example:
    return Example("test", QUERY, passages, labels=labels, query_id=QueryId("1"))


def fused(pipeline: RetrieveAndRerank) -> list[str]:
    """Texts in the order of the fused first stage."""
    trace = pipeline.search(QUERY, PipelineSettings(depth=100, rerank_depth=0))
    return [trace.passages[name].content for name in trace.fused.passage_ids]


def only(pipeline: RetrieveAndRerank, example: Example, settings: MiningSettings = SETTINGS) -> Example:
    (extended,) = add_negatives([example], pipeline, settings)
    return extended


def test_the_best_new_passages_are_added_with_grade_0(pipeline: RetrieveAndRerank) -> None:
    ranked = fused(pipeline)
    example = judged(ranked[1], ranked[3], "elsewhere", labels=(2.0, 0.0, 0.0))
    extended = only(pipeline, example)
    assert extended.passages == (*example.passages, ranked[0], ranked[2], ranked[4])
    assert extended.labels == (2.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    assert (extended.source, extended.query, extended.query_id, extended.scores) == ("test", QUERY, "1", None)


def test_ranks_are_inclusive(pipeline: RetrieveAndRerank) -> None:
    ranked = fused(pipeline)
    settings = MiningSettings(per_query=9, ranks=(4, 6), relative_margin=None)
    extended = only(pipeline, judged("one", "two", labels=(1.0, 0.0)), settings)
    assert extended.passages[2:] == tuple(ranked[3:6])  # ranks 4, 5 and 6


def test_near_duplicates_of_a_relevant_passage_are_not_added(pipeline: RetrieveAndRerank) -> None:
    copy = PASSAGES["a1"].upper().replace(".", " !")
    settings = MiningSettings(per_query=20, ranks=(1, 20), relative_margin=None)
    assert PASSAGES["a1"] in fused(pipeline)[:20]
    assert PASSAGES["a1"] not in only(pipeline, judged(copy, "two", labels=(1.0, 0.0)), settings).passages
    assert PASSAGES["a1"] in only(pipeline, judged("one", "two", labels=(1.0, 0.0)), settings).passages
    assert (
        PASSAGES["a1"] not in only(pipeline, judged("one", copy, labels=(1.0, 0.0)), settings).passages
    )  # it is there


def test_an_example_without_judgments_or_with_scores_stays_unchanged(pipeline: RetrieveAndRerank) -> None:
    taught = Example("test", QUERY, ("a", "b"), scores=(1.0, 0.0))
    both = Example("test", QUERY, ("a", "b"), labels=(1.0, 0.0), scores=(1.0, 0.0))
    long = Example("test", "bees " * QUERY_CHARACTERS, ("a", "b"), labels=(1.0, 0.0))
    assert list(add_negatives([taught, both, long], pipeline, SETTINGS)) == [taught, both, long]


@pytest.mark.parametrize("taken", [1, 2])
def test_examples_are_extended_lazily(pipeline: RetrieveAndRerank, taken: int) -> None:
    done = Reports()
    extended = add_negatives([judged("a", "b", labels=(1.0, 0.0))] * 3, pipeline, SETTINGS, progress=done)
    for _ in range(taken):
        assert len(next(extended).passages) == 2 + 3
    assert done.counts == [1] * taken
