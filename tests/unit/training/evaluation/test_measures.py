"""Measures are the field's, of judged queries only, as computed by hand here."""

import math

import pytest

from indexing.errors import SettingsError
from indexing.records import PassageId, Qrels, QueryId, Ranking, Run
from tests.support.judged_lists import ONE, THREE, TWO, grades, ranking
from training.evaluation.measures import check_minimum_grade, in_order, measure_run
from training.evaluation.settings import MEASURES


def means(run: Run, qrels: Qrels, *, minimum_grade: int = 2) -> dict[str, float]:
    return measure_run(run, qrels, minimum_grade=minimum_grade).means


def test_the_measures_are_those_that_the_field_reports() -> None:
    assert list(means({ONE: ranking("a")}, {ONE: grades(a=2)})) == list(MEASURES)


def test_ndcg_is_that_computed_by_hand() -> None:
    gained = 1 / math.log2(2 + 1) + 3 / math.log2(3 + 1)
    ideal = 3 / math.log2(1 + 1) + 2 / math.log2(2 + 1) + 1 / math.log2(3 + 1)
    found = means({ONE: ranking("x", "b", "a")}, {ONE: grades(a=3, b=1, c=2)})
    assert found["nDCG@10"] == pytest.approx(gained / ideal, abs=1e-6)


def test_measures_at_ten_stop_at_rank_ten() -> None:
    fillers = [f"f{number:02}" for number in range(10)]
    found = means({ONE: ranking(*fillers, "a")}, {ONE: grades(a=3)})
    assert (found["nDCG@10"], found["MRR@10"], found["R@10"], found["Judged@10"]) == (0, 0, 0, 0)
    assert (found["MAP"], found["R@100"]) == pytest.approx((1 / 11, 1))


def test_reciprocal_rank_is_that_of_the_first_passage_of_the_minimum_grade() -> None:
    run, qrels = {ONE: ranking("low", "x", "good", "best")}, {ONE: grades(low=1, good=2, best=3)}
    found = {grade: means(run, qrels, minimum_grade=grade)["MRR@10"] for grade in (1, 2, 3)}
    assert found == {1: 1, 2: pytest.approx(1 / 3), 3: 1 / 4}


def test_average_precision_is_that_computed_by_hand() -> None:
    # relevant at ranks 2 and 4, a third one lost: (1/2 + 2/4 + 0) / 3
    found = means({ONE: ranking("x", "a", "low", "b")}, {ONE: grades(a=2, b=3, lost=2, low=1)})
    assert found["MAP"] == pytest.approx((1 / 2 + 2 / 4) / 3)


def test_recall_counts_passages_of_the_minimum_grade_to_its_cutoff() -> None:
    names = [f"p{number:03}" for number in range(200)]
    judged = grades(p005=2, p050=2, p150=3, p007=1)  # at ranks 6, 51, 151, and one of too low a grade
    found = means({ONE: ranking(*names)}, {ONE: judged})
    assert (found["R@10"], found["R@100"], found["R@1000"]) == pytest.approx((1 / 3, 2 / 3, 3 / 3))


def test_judged_is_the_share_of_the_first_ten_that_anyone_graded() -> None:
    # of four returned, a and b are graded, b as not relevant
    assert means({ONE: ranking("a", "x", "b", "y")}, {ONE: grades(a=2, b=0)})["Judged@10"] == pytest.approx(2 / 4)


def test_a_judged_query_that_the_run_lacks_or_finds_nothing_for_counts_zero() -> None:
    qrels = {ONE: grades(a=2), TWO: grades(b=2), THREE: grades(c=2)}
    found = measure_run({ONE: ranking("a"), TWO: ranking()}, qrels, minimum_grade=2)
    assert found.means == pytest.approx(dict.fromkeys(MEASURES, (1 + 0 + 0) / 3))
    assert found.per_query["MAP"] == {ONE: 1, TWO: 0, THREE: 0}


def test_a_run_that_found_nothing_at_all_is_worth_nothing() -> None:
    assert means({ONE: ranking()}, {ONE: grades(a=2)}) == dict.fromkeys(MEASURES, 0)


def test_a_query_that_is_not_judged_does_not_count() -> None:
    assert means({ONE: ranking("a"), TWO: ranking("b")}, {ONE: grades(a=2)})["MAP"] == 1


def test_where_scores_tie_the_rankings_own_order_is_measured() -> None:
    # trec_eval alone would break the tie its own way: by id, backwards
    tied = Ranking.sort([(PassageId("a"), 1.0), (PassageId("b"), 1.0)])
    found = means({ONE: tied}, {ONE: grades(a=2)})
    assert (found["MRR@10"], found["MAP"], found["nDCG@10"]) == (1, 1, 1)


def test_a_grade_below_zero_gains_nothing() -> None:
    # trec_eval reads -1 and -2 (spam) as not relevant
    found = means({ONE: ranking("spam", "a")}, {ONE: grades(spam=-2, a=2)})
    assert found["nDCG@10"] == pytest.approx(1 / math.log2(2 + 1))


def test_only_the_measures_that_are_named_are_computed() -> None:
    found = measure_run({ONE: ranking("a")}, {ONE: grades(a=2)}, minimum_grade=2, names=["R@10", "MRR@10"])
    assert list(found.per_query) == ["R@10", "MRR@10"]


@pytest.mark.parametrize(
    ("qrels", "grade", "name", "message"),
    [
        ({}, 2, "MAP", "no judged query"),
        ({ONE: {}}, 0, "MAP", "grade is 0"),
        ({ONE: {}}, 2, "P@7", "Measure 'P@7' is unknown; choose from nDCG@10"),
    ],
)
def test_what_cant_be_measured_is_refused(qrels: Qrels, grade: int, name: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        measure_run({}, qrels, minimum_grade=grade, names=[name])


def test_a_minimum_grade_that_nothing_has_is_refused_with_the_highest_there_is() -> None:
    with pytest.raises(SettingsError, match=r"grade 2 or more \(the highest is 1\)"):
        check_minimum_grade({ONE: grades(a=1), TWO: grades(b=0)}, minimum_grade=2)
    with pytest.raises(SettingsError, match="minimum grade is 0; give 1 or more"):
        check_minimum_grade({ONE: grades(a=1)}, minimum_grade=0)


def test_queries_without_a_passage_of_the_minimum_grade_are_counted() -> None:
    qrels: dict[QueryId, dict[PassageId, int]] = {ONE: grades(a=2, b=1), TWO: grades(b=1), THREE: {}}
    assert check_minimum_grade(qrels, minimum_grade=2) == 2


def test_passages_in_order_have_scores_that_count_down() -> None:
    assert in_order([PassageId("b"), PassageId("a")]).scores.tolist() == [2, 1]
