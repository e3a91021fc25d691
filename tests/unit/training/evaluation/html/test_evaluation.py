"""An evaluation as one HTML file: the figures of the report, each with queries, depth and build."""

from dataclasses import replace

from tests.support.html_reports import checked
from tests.unit.training.evaluation.test_report import report
from training.evaluation.evaluate import Evaluation
from training.evaluation.html.evaluation import evaluation_html
from training.evaluation.report import RERANKED_WITH_MISSED
from training.evaluation.settings import EvaluationSettings
from training.evaluation.stages import RERANKED

BASIS = "2 queries · 3 candidates re-ranked · index small, build b1"


def evaluation() -> Evaluation:
    return Evaluation(index="small", build="b1", reranker="mine/1", shares=None, reports=(report(),))


def test_the_figures_are_those_of_the_report() -> None:
    read = checked(evaluation_html(evaluation(), at="30 November 2026"), basis=BASIS)
    # a: rank 3, then 1; c: rank 2 both times
    assert (
        f"MRR@10 of the re-ranked list is {(1 + 1 / 2) / 2:.4f}, of fused (RRF) {(1 / 3 + 1 / 2) / 2:.4f}" in read.text
    )
    means = [row for row in read.rows if row[0] == RERANKED]
    assert means[0][1] == "0.7500"
    assert means[1][1] == f"{(1 - 1 / 3) / 2:+.4f}"
    assert means[1][4:6] == ["too few queries to tell", "1 / 0 / 1"]
    assert ["first", "0.333", "1.000", "+0.667"] in read.rows
    assert "0.7500 reached; 0.2500 lost to ranking" in read.text
    assert any(label.startswith("MRR@10 by the number of candidates re-ranked: 0: 0.4167") for label in read.labels)
    for fact in ("Buildb1", "Re-rankermine/1", "Judged queries2 (Small)", "Depth3 candidates a query are re-ranked"):
        assert fact in read.text
    assert "Made by Second Look on 30 November 2026." in read.text


def test_notes_of_the_judgments_stand_in_the_page_once() -> None:
    told = replace(
        evaluation().reports[0], notes=("clicks.tsv: 4 judgments were made from clicks, not by people.",) * 2
    )
    read = checked(evaluation_html(replace(evaluation(), reports=(told,)), at="today"), basis=BASIS)
    assert read.text.count("made from clicks, not by people") == 1


def test_a_report_whose_baseline_is_the_re_ranked_list_has_no_finding_of_itself() -> None:
    made = report()
    other = replace(
        made,
        comparison=replace(
            made.comparison,
            versus={name: versus for name, versus in made.comparison.versus.items() if name != RERANKED},
            baseline=RERANKED,
        ),
        settings=EvaluationSettings(baseline=RERANKED),
    )
    read = checked(evaluation_html(replace(evaluation(), reports=(other,)), at="today"), basis=BASIS)
    assert "Query by query" not in read.text
    assert RERANKED_WITH_MISSED not in read.text
