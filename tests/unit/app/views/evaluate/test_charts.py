"""Every chart shows the figures of the report, row by row."""

from typing import Any

import altair as alt
import pytest

from app.views.evaluate.charts import bound_chart, ceiling_chart, interval_chart, sweep_chart, wins_chart
from app.views.widgets.palette import DOWN, SAME, UP
from search.pipeline import RetrieveAndRerank
from training.evaluation.evaluate import evaluate_stages
from training.evaluation.report import ORACLE, EvaluationReport
from training.evaluation.settings import EvaluationRequest


@pytest.fixture(scope="module")
def kept() -> dict[str, EvaluationReport]:
    return {}


@pytest.fixture
def report(pipeline: RetrieveAndRerank, kept: dict[str, EvaluationReport]) -> EvaluationReport:
    """The small index's test split, re-ranked by word overlap."""
    if not kept:
        kept["it"] = evaluate_stages(pipeline, EvaluationRequest(depth=20)).reports[0]
    return kept["it"]


def spec(chart: alt.LayerChart | alt.Chart) -> dict[str, Any]:
    """What the browser gets, checked by altair against Vega-Lite's schema."""
    found: dict[str, Any] = chart.to_dict()
    return found


def rows(chart: alt.LayerChart | alt.Chart) -> list[dict[str, Any]]:
    (values,) = spec(chart)["datasets"].values()
    found: list[dict[str, Any]] = values
    return found


def test_intervals_are_those_of_the_comparison(report: EvaluationReport) -> None:
    found = {row["system"]: row for row in rows(interval_chart(report.comparison))}
    for name, interval in report.comparison.intervals.items():
        assert (found[name]["low"], found[name]["high"]) == interval
        assert found[name]["low"] <= found[name]["mean"] <= found[name]["high"]
    assert {name for name, row in found.items() if row["kind"] == "reference"} == {ORACLE}


def test_depths_stand_against_time_where_it_is_known(report: EvaluationReport) -> None:
    timed = [row._replace(seconds=row.depth / 1000) for row in report.sweep]  # 1 ms a candidate
    assert [row["cost"] for row in rows(sweep_chart(timed, "nDCG@10"))] == pytest.approx([0, 10, 20])
    untimed = [row._replace(seconds=None) for row in report.sweep]
    chart = sweep_chart(untimed, "MAP")
    assert [row["cost"] for row in rows(chart)] == [0, 10, 20]
    assert [row["value"] for row in rows(chart)] == [row.measured.means["MAP"] for row in report.sweep]
    assert all(row["value"] <= row["ceiling"] for row in rows(chart))
    assert "candidates re-ranked" in str(spec(chart))


def test_a_list_stands_below_its_oracle_and_that_below_the_ideal(report: EvaluationReport) -> None:
    values = [row["value"] for row in rows(ceiling_chart(report.attribution))]
    assert values == [report.attribution.means[name] for name in ("value", "ceiling", "ideal")]
    assert values == sorted(values)


def test_queries_are_counted_by_what_they_lose(report: EvaluationReport) -> None:
    found = {row["loses"]: row["value"] for row in rows(bound_chart(report.attribution))}
    assert sum(found.values()) == len(report.qrels) == 2
    assert found["more to ranking"] == report.attribution.bounds["ranking"]


def test_wins_and_losses_are_sorted_and_coloured(report: EvaluationReport) -> None:
    differences = {query.id: value for query, value in zip(report.queries, (0.5, -0.25), strict=True)}
    chart = wins_chart(differences, report.queries, words="nDCG@10 less BM25's")
    assert [(row["place"], row["difference"], row["outcome"]) for row in rows(chart)] == [
        (1, -0.25, "loss"),
        (2, 0.5, "win"),
    ]
    scale = spec(chart)["encoding"]["color"]["scale"]
    assert dict(zip(scale["domain"], scale["range"], strict=True)) == {"win": UP, "loss": DOWN, "tie": SAME}
