"""What is lost is lost to recall or to ranking, by hand."""

import math

import pytest

from indexing.errors import SettingsError
from tests.support.judged_lists import ONE, THREE, TWO, grades, ranking
from training.evaluation.attribution import Loss, append, attribute, ideal, missed_positives, oracle

LOG3 = math.log2(3)


def test_the_oracle_orders_candidates_by_grade_and_ties_as_the_first_stage() -> None:
    found = oracle({ONE: ranking("z", "b", "y", "a", "c")}, {ONE: grades(a=1, b=1, c=3, y=0, lost=3)})
    assert found[ONE].passage_ids == ("c", "b", "a", "z", "y")


def test_a_grade_below_zero_is_no_worse_than_no_grade() -> None:
    assert oracle({ONE: ranking("spam", "x")}, {ONE: grades(spam=-2)})[ONE].passage_ids == ("spam", "x")


def test_the_oracle_has_judged_queries_with_candidates_only() -> None:
    assert set(oracle({ONE: ranking("a"), TWO: ranking("a")}, {ONE: grades(a=1), THREE: grades(a=1)})) == {ONE}


def test_the_ideal_list_holds_all_that_is_judged() -> None:
    assert ideal({ONE: grades(a=0, b=3, c=1, d=3)})[ONE].passage_ids == ("b", "d", "c", "a")


def test_a_loss_is_split_at_the_best_order_of_the_candidates() -> None:
    # ideal a b c: 3 + 2/log2(3) + 1/2; best of the candidates b c: 2 + 1/log2(3); the re-ranker's c b: 1 + 2/log2(3)
    best = 3 + 2 / LOG3 + 1 / 2
    found = attribute(
        {ONE: ranking("c", "b", "x")},
        {ONE: ranking("x", "c", "b")},
        {ONE: grades(a=3, b=2, c=1)},
        measure="nDCG@10",
        minimum_grade=2,
    )
    loss = found.losses[ONE]
    assert loss.value == pytest.approx((1 + 2 / LOG3) / best)
    assert loss.to_recall == pytest.approx(1 - (2 + 1 / LOG3) / best)
    assert loss.to_ranking == pytest.approx((2 + 1 / LOG3 - 1 - 2 / LOG3) / best)
    assert loss.value + loss.to_recall + loss.to_ranking == pytest.approx(1)
    assert loss.bound == "recall"


@pytest.mark.parametrize(
    ("loss", "bound"),
    [
        (Loss(0.2, 0.5, 0.3), "recall"),
        (Loss(0.2, 0.3, 0.5), "ranking"),
        (Loss(0.2, 0.4, 0.4), "both"),
        (Loss(1.0, 0.0, 0.0), "none"),
        (Loss(0.1, 0.2, 0.3, 0.4), "absent"),
        (Loss(0.1, 0.2, 0.4, 0.3), "ranking"),
        (Loss(1.0, 0.00005, 0.0), "none"),
    ],
)
def test_a_query_is_bound_by_what_costs_it_more(loss: Loss, bound: str) -> None:
    assert loss.bound == bound


def test_means_and_counts_are_over_all_judged_queries() -> None:
    run = {ONE: ranking("x", "a"), TWO: ranking("x")}
    qrels = {ONE: grades(a=2), TWO: grades(b=2), THREE: grades(c=2)}
    found = attribute(run, run, qrels, measure="MRR@10", minimum_grade=2)
    # 1: rank 2, could be 1; 2: not retrieved; 3: no candidates at all
    assert found.means == pytest.approx(
        {
            "value": 0.5 / 3,
            "ceiling": 1 / 3,
            "ideal": 3 / 3,
            "lost to recall": (0 + 1 + 1) / 3,
            "lost to ranking": (0.5 + 0 + 0) / 3,
            "lost to absent passages": 0,
        }
    )
    assert found.bounds == {"recall": 2, "ranking": 1, "both": 0, "absent": 0, "none": 0}


def test_what_the_collection_lacks_is_lost_neither_to_recall_nor_to_ranking() -> None:
    run = {ONE: ranking("a"), TWO: ranking("b"), THREE: ranking("x")}
    qrels = {ONE: grades(a=1, gone=1), TWO: grades(b=1), THREE: grades(gone=1)}
    absent = {query: frozenset(grades(gone=1)) for query in (ONE, THREE)}
    found = attribute(run, run, qrels, measure="R@10", minimum_grade=1, absent=absent)
    assert found.losses == {ONE: Loss(0.5, 0, 0, 0.5), TWO: Loss(1, 0, 0, 0), THREE: Loss(0, 0, 0, 1)}
    assert found.bounds == {"recall": 0, "ranking": 0, "both": 0, "absent": 2, "none": 1}
    assert found.means["ideal"] == 1
    assert found.means["lost to absent passages"] == pytest.approx((0.5 + 1) / 3)


def test_a_query_without_relevant_passages_loses_nothing() -> None:
    run = {ONE: ranking("a")}
    found = attribute(run, run, {ONE: grades(a=1)}, measure="MAP", minimum_grade=2)
    assert found.losses[ONE] == Loss(0, 0, 0)


def test_recall_at_ten_of_twelve_can_be_ten_twelfths_at_best() -> None:
    names = [f"p{number:02}" for number in range(12)]
    run = {ONE: ranking("x", *names)}
    judged = {ONE: grades(**dict.fromkeys(names, 2))}
    found = attribute(run, run, judged, measure="R@10", minimum_grade=2).means
    assert (found["value"], found["ceiling"], found["ideal"]) == pytest.approx((9 / 12, 10 / 12, 10 / 12))


@pytest.mark.parametrize("candidates", [{}, {ONE: ranking("b")}])
def test_a_re_ranking_of_something_else_is_refused(candidates: dict[str, object]) -> None:
    with pytest.raises(SettingsError, match="Query 1 ranks passage 'a'"):
        attribute({ONE: ranking("a")}, candidates, {ONE: grades(a=2)}, measure="MAP", minimum_grade=2)  # type: ignore[arg-type]  # ids are strings


def test_how_much_is_judged_is_no_measure_of_a_ranking() -> None:
    with pytest.raises(
        SettingsError,
        match=r"^Judged@10 measures how much is judged, not how good a ranking is; choose nDCG@10 or another\.$",
    ):
        attribute({}, {}, {ONE: grades(a=2)}, measure="Judged@10", minimum_grade=2)


def test_missed_positives_are_those_of_the_minimum_grade_that_were_not_retrieved() -> None:
    qrels = {ONE: grades(a=2, b=3, c=1, d=2), TWO: grades(e=2), THREE: grades(f=3)}
    found = missed_positives({ONE: ranking("x", "d"), TWO: ranking("e")}, qrels, minimum_grade=2)
    assert found == {ONE: ("a", "b"), THREE: ("f",)}


def test_missed_positives_stand_behind_the_candidates() -> None:
    given = {ONE: ranking("x", "d"), TWO: ranking("e")}
    found = append(given, missed_positives(given, {ONE: grades(b=2), THREE: grades(f=2)}, minimum_grade=2))
    assert {query: list(found[query].passage_ids) for query in found} == {
        ONE: ["x", "d", "b"],
        TWO: ["e"],
        THREE: ["f"],
    }
