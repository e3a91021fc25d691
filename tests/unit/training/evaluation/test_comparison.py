"""Systems are measured alike and tested against the baseline, by hand."""

import json

import pytest

from indexing.errors import SettingsError
from indexing.records import QueryId, Ranking
from tests.support.judged_lists import ONE, TWO, grades, ranking
from training.evaluation.comparison import (
    Comparison,
    compare_runs,
    comparison_columns,
    comparison_json,
    comparison_table,
    differences_table,
)

QRELS = {QueryId(str(number)): grades(a=2) for number in range(1, 5)}


def run(*ranks: int) -> dict[QueryId, Ranking]:
    """For each query the relevant passage at this rank, from 1."""
    return {
        query: ranking(*[f"x{place}" for place in range(rank - 1)], "a")
        for query, rank in zip(QRELS, ranks, strict=True)
    }


def three() -> Comparison:
    return compare_runs(
        {"old": run(2, 2, 2, 1), "new": run(1, 1, 1, 1), "other": run(4, 2, 1, 1)},
        QRELS,
        baseline="old",
        minimum_grade=2,
        measure="MRR@10",
        references={"oracle": run(1, 1, 1, 1)},
    )


def test_every_system_is_tested_against_the_baseline() -> None:
    found = three()
    assert set(found.versus) == {"new", "other"}
    new, other = found.versus["new"], found.versus["other"]
    # new gains 1/2 on three of four queries: 2 of the 8 assignments of their signs are as extreme
    assert new.difference == pytest.approx(3 * 0.5 / 4)
    assert (new.p_randomization, tuple(new.outcomes)) == (0.25, (3, 0, 1))
    # mean 0.375, deviation 0.25, error 0.125: t = 3, and with 3 degrees of freedom p = 0.05767
    assert new.p_t == pytest.approx(0.05767, abs=5e-5)
    # other: -1/4, 0, +1/2, 0: sums of 1/4 and 3/4 either way, all at least 1/4
    assert (other.p_randomization, tuple(other.outcomes)) == (1, (1, 1, 2))
    assert other.difference == pytest.approx((-0.25 + 0.5) / 4)


def test_p_is_corrected_for_the_number_of_tests() -> None:
    new, other = three().versus["new"], three().versus["other"]
    assert (new.holm_randomization, other.holm_randomization) == (2 * 0.25, 1)
    assert new.holm_t == pytest.approx(2 * new.p_t)


def test_a_reference_is_measured_and_not_tested() -> None:
    found = three()
    assert found.systems["oracle"].means["MRR@10"] == 1
    assert "oracle" not in found.versus


def test_the_interval_of_a_difference_holds_it() -> None:
    new = three().versus["new"]
    # four queries: samples in which 1 to 4 of them gain 1/2
    assert new.interval.low == pytest.approx(0.125)
    assert new.interval.high == pytest.approx(0.5)


def test_differences_are_by_query() -> None:
    assert three().differences("other") == pytest.approx(dict(zip(QRELS, [-0.25, 0, 0.5, 0], strict=True)))


def test_rankings_that_a_system_lacks_are_counted() -> None:
    found = compare_runs(
        {"all": run(1, 1, 1, 1), "one": {ONE: ranking("a")}}, QRELS, baseline="all", minimum_grade=2, measure="MAP"
    )
    assert found.absent == {"all": 0, "one": 3}
    assert found.systems["one"].means["MAP"] == 1 / 4


@pytest.mark.parametrize(
    ("baseline", "measure", "other", "message"),
    [
        ("older", "MAP", "b", "Baseline 'older' isn't one of the systems; choose from "),
        ("a", "P@3", "b", "Measure 'P@3' is unknown; choose from nDCG@10, MRR@10"),
        ("a", "MAP", "a", "Two systems have the same name; the names are a. Rename one"),
    ],
)
def test_what_cant_be_compared_is_refused(baseline: str, measure: str, other: str, message: str) -> None:
    runs = {"a": run(1, 1, 1, 1)}
    with pytest.raises(SettingsError, match=message):
        compare_runs(runs, QRELS, baseline=baseline, minimum_grade=2, measure=measure, references={other: runs["a"]})


def test_a_run_of_other_queries_is_refused() -> None:
    with pytest.raises(SettingsError, match="foreign answers none of the 4 judged queries"):
        compare_runs(
            {"a": run(1, 1, 1, 1), "foreign": {QueryId("q9"): ranking("a")}}, QRELS, baseline="a", minimum_grade=2
        )


@pytest.mark.parametrize(
    ("depth", "recalls"), [(5, ["R@10"]), (10, ["R@10"]), (50, ["R@10", "R@100"]), (101, ["R@10", "R@100", "R@1000"])]
)
def test_recall_beyond_every_rankings_depth_is_not_shown(depth: int, recalls: list[str]) -> None:
    names = [f"x{place}" for place in range(depth)]
    found = compare_runs({"a": {ONE: ranking(*names)}}, {ONE: grades(x0=2)}, baseline="a", minimum_grade=2)
    assert [name for name in comparison_columns(found) if name.startswith("R@")] == recalls


def test_a_reference_is_no_reason_to_show_recall_that_no_system_reaches() -> None:
    deep = {ONE: ranking(*[f"x{place}" for place in range(50)])}
    found = compare_runs(
        {"a": {ONE: ranking("x0")}}, {ONE: grades(x0=2)}, baseline="a", minimum_grade=2, references={"deep": deep}
    )
    assert [name for name in comparison_columns(found) if name.startswith("R@")] == ["R@10"]


def test_the_table_has_a_line_for_each_system() -> None:
    lines = comparison_table(three()).splitlines()
    assert lines[0] == "| | nDCG@10 | MRR@10 | MAP | R@10 | Judged@10 | 95 % of MRR@10 |"
    # rank 1 for one query and 2 for three: nDCG 1/log2(3) = 0.6309 there; one passage of two is judged there
    assert lines[2].startswith("| old | 0.7232 | 0.6250 | 0.6250 | 1.0000 | 0.6250 |")
    assert lines[3] == "| new | 1.0000 | 1.0000 | 1.0000 | 1.0000 | 1.0000 | 1.000 to 1.000 |"
    assert len(lines) == 2 + 4
    assert {line.count("|") for line in lines} == {8}


def test_the_table_of_tests_has_differences_outcomes_and_corrected_p() -> None:
    lines = differences_table(three()).splitlines()
    assert lines[2] == "| new | +0.3750 | +0.125 to +0.500 | 3 / 0 / 1 | 0.5000 | 0.1153 |"
    assert {line.count("|") for line in lines} == {7}


def test_a_tiny_p_is_not_shown_as_zero() -> None:
    qrels = {QueryId(str(number)): grades(a=2) for number in range(30)}
    runs = {
        "old": {query: ranking("x", "a") for query in qrels},
        "new": {query: ranking("a", "x") for query in qrels},
    }
    assert "| < 0.0001 | < 0.0001 |" in differences_table(compare_runs(runs, qrels, baseline="old", minimum_grade=2))


def test_figures_as_json_hold_every_query_and_every_p() -> None:
    found = json.loads(json.dumps(comparison_json(three())))
    assert found["systems"]["other"]["per_query"]["MRR@10"] == {"1": 0.25, "2": 0.5, "3": 1, "4": 1}
    assert found["systems"]["old"]["means"]["MRR@10"] == 0.625
    assert found["versus_baseline"]["new"]["p_randomisation"] == 0.25
    assert (found["baseline"], found["measure"], found["minimum_grade"]) == ("old", "MRR@10", 2)
    assert found["versus_baseline"]["new"]["wins"] == 3


def test_one_system_alone_needs_no_test() -> None:
    found = compare_runs({"a": {ONE: ranking("a"), TWO: ranking("a")}}, QRELS, baseline="a", minimum_grade=2)
    assert found.versus == {}
