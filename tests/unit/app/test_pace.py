"""How long a search will take is told from those before it."""

from collections.abc import Sequence

import numpy as np
import pytest

from app.pace import Pace
from indexing.records import Ranking
from search.rerank.reranker import Scores, score_passages
from search.rerank.score_cache import RememberedScores
from search.settings import PipelineSettings
from search.trace import PipelineVersions, SearchTrace

NOTHING = Ranking.sort([])
VERSIONS = PipelineVersions(index="i", build="b", bi_encoder="e", reranker="r", second_look="")


class Lengths:
    """Scores a passage by its length."""

    name = "lengths"

    def score(self, query: str, passages: Sequence[str]) -> Scores:
        return Scores(np.array([len(passage) for passage in passages], dtype=np.float32))


def trace(**seconds: float) -> SearchTrace:
    named = {name.replace("rerank", "re-rank"): value for name, value in seconds.items()}
    return SearchTrace(
        query="q",
        settings=PipelineSettings(),
        versions=VERSIONS,
        first_stage={},
        fused=NOTHING,
        seconds=named,
        passages={},
    )


def test_a_search_takes_its_first_stage_and_each_passage_its_share() -> None:
    pace = Pace()
    assert pace.predict(50) is None
    pace.observe(trace(bm25=0.01, encode=0.03, tokenize=0.05, rerank=0.45), read=50)
    assert pace.predict(50) == pytest.approx(0.04 + 50 * (0.05 + 0.45) / 50)
    assert pace.predict(100) == pytest.approx(0.04 + 100 * 0.01)
    assert pace.predict(0) == pytest.approx(0.04)


def test_one_search_beside_a_busy_machine_changes_little() -> None:
    pace = Pace()
    for seconds in (0.50, 0.52, 9.0, 0.54, 0.56):
        pace.observe(trace(encode=0.04, rerank=seconds), read=50)
    assert pace.predict(50) == pytest.approx(0.04 + 0.54)


def test_scores_that_were_kept_say_nothing_of_a_passage_s_time() -> None:
    pace = Pace()
    pace.observe(trace(encode=0.04, rerank=0.5), read=50)
    pace.observe(trace(encode=0.04, rerank=0.0), read=0)
    pace.observe(trace(encode=0.04, rerank=0.2), read=2)
    assert pace.predict(50) == pytest.approx(0.54)


def test_only_passages_that_are_read_anew_are_counted() -> None:
    reranker = RememberedScores(Lengths())
    first = score_passages(reranker, "q", ["a", "bb", "ccc"])
    assert reranker.computed == 3
    second = score_passages(reranker, "q", ["bb", "ccc", "dddd"])
    assert reranker.computed == 3 + 1
    assert first.logits.tolist() == [1, 2, 3]
    assert second.logits.tolist() == [2, 3, 4]
