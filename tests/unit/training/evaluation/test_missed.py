"""Positives that the first stage missed are scored too, and nothing else is scored again."""

import pytest

from indexing.index import Index
from indexing.judged.sets import JudgedSet
from indexing.records import PassageId, Query
from tests.conftest import PASSAGES
from tests.support.fakes import FixedReranker, Reports, WordOverlapReranker
from tests.support.judged_lists import ONE, THREE, TWO, grades, ranking, scored
from training.evaluation.measures import measure_run
from training.evaluation.missed import SecondAccount, rerank_with_missed, text_in

QUERIES = (Query(ONE, "how do bees make honey"), Query(TWO, "what is a moraine"), Query(THREE, "why does bread rise"))
QRELS = {ONE: grades(a1=3, a3=2, a4=0), TWO: grades(d2=3, zz=2), THREE: grades(c1=2)}
TEXTS = {PassageId(name): text for name, text in PASSAGES.items()}


def second_account() -> SecondAccount:
    candidates = {ONE: ranking("a4", "a3"), TWO: ranking("d2", "d1")}
    logits = {ONE: scored(a3=2.0, a4=1.0), TWO: scored(d2=5.0, d1=1.0)}
    return rerank_with_missed(
        candidates,
        logits,
        JudgedSet("test", QUERIES, QRELS),
        reranker=FixedReranker({PASSAGES["a1"]: 1.5, PASSAGES["c1"]: -7.0}),
        text_of=TEXTS.get,
        minimum_grade=2,
    )


def test_missed_positives_are_ranked_among_the_candidates_by_logit() -> None:
    account = second_account()
    assert {query: list(account.reranked[query].passage_ids) for query in account.reranked} == {
        ONE: ["a3", "a1", "a4"],  # 2, 1.5, 1
        TWO: ["d2", "d1"],
        THREE: ["c1"],  # retrieved nothing
    }
    assert account.reranked[ONE].scores.tolist() == [2, 1.5, 1]


def test_missed_positives_follow_the_candidates_and_are_counted() -> None:
    account = second_account()
    assert account.candidates[ONE].passage_ids == ("a4", "a3", "a1")
    assert account.candidates[TWO].passage_ids == ("d2", "d1")
    assert (account.appended, account.without_text) == (2, 1)  # a1 and c1; zz has no text


def test_recall_counts_the_positives_that_were_added() -> None:
    before = measure_run({ONE: ranking("a4", "a3")}, QRELS, minimum_grade=2).means["R@10"]
    after = measure_run(second_account().reranked, QRELS, minimum_grade=2).means["R@10"]
    # 1 of a1 a3, 0 of d2 zz, 0 of c1; then 2 of 2, 1 of 2 and 1 of 1
    assert (before, after) == pytest.approx(((1 / 2) / 3, (1 + 1 / 2 + 1) / 3))


def test_only_what_was_missed_is_scored(reranker: WordOverlapReranker) -> None:
    progress = Reports()
    rerank_with_missed(
        {ONE: ranking("a4", "a3"), TWO: ranking("d2")},
        {ONE: scored(a3=2.0, a4=1.0), TWO: scored(d2=5.0)},
        JudgedSet("test", QUERIES[:2], {ONE: QRELS[ONE], TWO: grades(d2=3)}),
        reranker=reranker,
        text_of=TEXTS.get,
        minimum_grade=2,
        progress=progress,
    )
    assert reranker.asked == [("how do bees make honey", (PASSAGES["a1"],))]
    assert progress.rows == [("missed", 1, 2)] * 2


def test_text_in_looks_a_passage_up_in_its_index(small_index: Index) -> None:
    text_of = text_in(small_index)
    assert text_of(PassageId("a1")) == PASSAGES["a1"]
    assert text_of(PassageId("zz")) is None
