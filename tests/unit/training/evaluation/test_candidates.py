"""Lists are those that are served, and are measured in the re-ranker's order."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from indexing.errors import SettingsError
from indexing.judged.sets import JudgedSet, judged_sets
from indexing.records import Floats, PassageId, QueryId, Ranking
from search.pipeline import RetrieveAndRerank
from search.rerank.reranker import Scores
from search.settings import PipelineSettings
from tests.conftest import PASSAGES
from tests.support.fakes import FixedReranker, Reports
from training.evaluation.candidates import first_stage_lists, groups_of, ndcg, reranked

FOUR, FIVE = QueryId("4"), QueryId("5")


def test_lists_are_the_fused_first_stage_s(pipeline: RetrieveAndRerank, small_corpus: Path) -> None:
    judged = judged_sets(small_corpus)["test"]
    seen = Reports()
    lists = first_stage_lists(pipeline, judged, depth=7, progress=seen)
    assert set(lists.run) == {FOUR, FIVE}
    for query in judged.queries:
        assert lists.run[query.id] == pipeline.search(query.text, PipelineSettings(depth=7, rerank_depth=0)).fused
    assert all(lists.texts[key] == PASSAGES[key] for ranking in lists.run.values() for key in ranking.passage_ids)
    assert seen.rows == [("first stage", 1, 2)] * 2


def test_fewer_queries_are_taken_from_the_first_on(pipeline: RetrieveAndRerank, small_corpus: Path) -> None:
    lists = first_stage_lists(pipeline, judged_sets(small_corpus)["test"], depth=7, queries=1)
    assert set(lists.run) == set(lists.qrels) == {FOUR}


def test_a_set_without_queries_is_refused(pipeline: RetrieveAndRerank) -> None:
    with pytest.raises(SettingsError, match="dev split has no judged query"):
        first_stage_lists(pipeline, JudgedSet("dev", (), {}), depth=7)


def test_the_re_ranker_s_order_is_what_is_measured(pipeline: RetrieveAndRerank, small_corpus: Path) -> None:
    lists = first_stage_lists(pipeline, judged_sets(small_corpus)["test"], depth=20)
    logits = {text: -float(place) for place, text in enumerate(PASSAGES.values())}  # a1 first, d5 last
    logits[PASSAGES["b2"]], logits[PASSAGES["b1"]] = 2.0, 1.0
    run = reranked(lists, FixedReranker(logits))
    assert run[FOUR].passage_ids[:3] == ("b2", "b1", "a1")
    values = ndcg(run, lists)
    assert values[FOUR] == pytest.approx(1)  # b2 has grade 3 and b1 grade 1, which is the best order
    assert values[FIVE] == 0  # c4, its one good passage, stands below rank 10


def test_short_lists_are_read_several_at_once_and_long_ones_alone(
    pipeline: RetrieveAndRerank, small_corpus: Path
) -> None:
    lists = first_stage_lists(pipeline, judged_sets(small_corpus)["test"], depth=20)
    logits = {text: -float(place) for place, text in enumerate(PASSAGES.values())}
    together, alone = CountingReranker(logits), OneByOne(logits)
    assert reranked(lists, together) == reranked(lists, alone)
    pairs = [len(lists.run[query.id]) for query in lists.queries]
    assert together.calls == [sum(pairs)]
    assert alone.calls == pairs


@pytest.mark.parametrize("kind", ["pairs", "one by one"])
def test_a_query_that_the_run_lacks_has_an_empty_list(
    pipeline: RetrieveAndRerank, small_corpus: Path, kind: str
) -> None:
    lists = first_stage_lists(pipeline, judged_sets(small_corpus)["test"], depth=20)
    logits = dict.fromkeys(PASSAGES.values(), 0.0)
    lacking = replace(lists, run={FIVE: lists.run[FIVE]})
    run = reranked(lacking, FixedReranker(logits) if kind == "pairs" else OneByOne(logits))
    assert run == {FOUR: Ranking.sort([]), FIVE: reranked(lists, FixedReranker(logits))[FIVE]}
    assert ndcg(run, lacking)[FOUR] == 0


def test_groups_hold_no_more_pairs_than_wanted_unless_one_list_does() -> None:
    lists = [[PassageId(str(place)) for place in range(count)] for count in (20, 20, 20, 70, 0, 10)]
    assert list(groups_of(lists, pairs=50)) == [[0, 1], [2], [3], [4, 5]]
    assert list(groups_of([], pairs=50)) == []


class CountingReranker(FixedReranker):
    """Counts the pairs of each call."""

    def __init__(self, logits: dict[str, float]) -> None:
        super().__init__(logits)
        self.calls: list[int] = []

    def score_pairs(self, queries: Sequence[str], passages: Sequence[str]) -> Floats:
        self.calls.append(len(passages))
        return super().score_pairs(queries, passages)


class OneByOne:
    """Scores one query at a time and no pairs."""

    name = "one by one"

    def __init__(self, logits: dict[str, float]) -> None:
        self._inner = CountingReranker(logits)
        self.calls = self._inner.calls

    def score(self, query: str, passages: Sequence[str]) -> Scores:
        return self._inner.score(query, passages)
