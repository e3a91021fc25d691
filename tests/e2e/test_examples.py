"""Every example query does what its caption says, with what ships; new weights must keep it."""

from pathlib import Path

import pytest

from app.views.widgets.examples import EXAMPLES, Example
from indexing.judged.sets import judged_sets
from indexing.records import PassageId, QueryId, Ranking
from search.load import open_pipeline
from search.pipeline import RetrieveAndRerank
from tests.conftest import REPOSITORY
from training.evaluation.measures import measure_run

ANSWERS = 3  # the grade of a passage that answers fully


@pytest.fixture(scope="module")
def pipeline(sample_root: Path) -> RetrieveAndRerank:
    return open_pipeline("sample", root=sample_root)


def ndcg(ranking: Ranking, query: QueryId, grades: dict[PassageId, int]) -> float:
    measured = measure_run({query: ranking}, {query: grades}, minimum_grade=2, names=["nDCG@10"])
    return measured.means["nDCG@10"]


def test_there_are_two_wins_a_tie_and_a_loss() -> None:
    assert sorted(str(example.kind) for example in EXAMPLES) == ["loss", "tie", "win", "win"]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.query)
def test_examples_do_what_they_say(pipeline: RetrieveAndRerank, example: Example) -> None:
    dev = judged_sets(REPOSITORY / "data/sample")["dev"]
    (query,) = [query for query in dev.queries if query.text == example.query]
    grades = dict(dev.qrels[query.id])
    trace = pipeline.search(example.query)
    before, after = ndcg(trace.fused, query.id, grades), ndcg(trace.final, query.id, grades)
    first = grades.get(trace.final.passage_ids[0], 0)
    assert trace.answers is True  # the page doesn't say of it that nothing seems to answer
    if example.kind == "win":
        assert first == ANSWERS
        assert grades.get(trace.fused.passage_ids[0], 0) == 0
        assert after > before
    elif example.kind == "tie":
        assert first == ANSWERS
        assert after == before
    else:
        assert after < before
