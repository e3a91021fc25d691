"""What an evaluation found: stages in one table, intervals, depths, losses, queries, and all of it to take away."""

import json
from functools import partial
from html import escape
from typing import Any

import streamlit as st

from app.views.evaluate.charts import bound_chart, ceiling_chart, interval_chart, sweep_chart, wins_chart
from app.views.evaluate.form import Asked
from app.views.widgets.figures import p_text, span
from app.views.widgets.notices import note, problem
from app.views.widgets.pickers import pick
from app.views.widgets.query_table import query_columns, search_address, show_queries
from search.settings import MIXES
from training.evaluation.attribution import Attribution
from training.evaluation.comparison import Comparison, columns
from training.evaluation.evaluate import Evaluation
from training.evaluation.files import trec_eval_command
from training.evaluation.paired import BETTER, WORSE
from training.evaluation.report import Report
from training.evaluation.stages import RERANKED

SIGNS = {BETTER: "▲", WORSE: "▼"}


def show_results(evaluation: Evaluation, asked: Asked, *, archive: bytes, qrels: bytes, fault: str) -> None:
    """Everything, from the table to the downloads."""
    report = evaluation.reports[0]
    _heading("Stages", f"{report.title}, {len(report.qrels):,} judged queries, re-ranker {evaluation.reranker}")
    _show_table(report.comparison)
    note(*notes(evaluation))
    st.altair_chart(interval_chart(report.comparison), key="evaluate_intervals")
    left, right = st.columns(2, gap="medium")
    with left:
        _heading("Depth against time", f"{asked.measure} of the first so many candidates re-ranked")
        st.altair_chart(sweep_chart(report.sweep, asked.measure), key="evaluate_sweep")
        note("The number at each point is the depth; dashed, the best order of these candidates.")
    with right:
        _heading("Where it is lost", f"by the stage “{RERANKED}”")
        st.altair_chart(ceiling_chart(report.attribution), key="evaluate_ceiling")
        st.altair_chart(bound_chart(report.attribution), key="evaluate_bounds")
        note(attribution_sentence(report.attribution))
    _show_queries(report, asked)
    _offer_downloads(evaluation, asked, archive=archive, qrels=qrels, fault=fault)


def stage_columns(comparison: Comparison) -> dict[str, list[Any]]:
    """The table's columns, one row a system: means, interval, difference from the baseline, p and what it says."""
    intervals = [comparison.intervals[name] for name in comparison.systems]
    versus = [comparison.versus.get(name) for name in comparison.systems]
    found: dict[str, list[Any]] = {
        "stage": list(comparison.systems),
        comparison.measure: _means(comparison, comparison.measure),
        "95 %": [span(interval) for interval in intervals],
        "tested": [marker(comparison, name) for name in comparison.systems],
    }
    found["difference"] = ["" if one is None else f"{one.difference:+.4f}" for one in versus]
    found["95 % of it"] = ["" if one is None else span(one.interval, signed=True) for one in versus]
    found["p (Holm)"] = ["" if one is None else p_text(one.holm_randomisation) for one in versus]
    found["won / lost / tied"] = ["" if one is None else " / ".join(map(str, one.outcomes)) for one in versus]
    return found | {name: _means(comparison, name) for name in columns(comparison) if name != comparison.measure}


def _means(comparison: Comparison, measure: str) -> list[float]:
    return [measured.means[measure] for measured in comparison.systems.values()]


def marker(comparison: Comparison, system: str) -> str:
    """Whether a system is better or worse than the baseline, by the 95 % interval of the difference."""
    if system == comparison.baseline:
        return "baseline"
    versus = comparison.versus.get(system)
    if versus is None:
        return "reference"
    return f"{SIGNS.get(versus.outcome, '·')} {versus.outcome}"


def notes(evaluation: Evaluation) -> list[str]:
    """How the figures came about."""
    report = evaluation.reports[0]
    comparison = report.comparison
    said = [
        f"By {comparison.measure} against {comparison.baseline}: better or worse where the 95 % interval of the paired "
        "difference, bootstrapped over the queries, excludes zero; p is the two-sided paired randomisation "
        f"test's after Holm's correction for {len(comparison.versus)} tests. Means are over "
        f"all judged queries; {report.without_relevant:,} have no passage of grade {comparison.minimum_grade} or more."
    ]
    if evaluation.shares is None:
        said.append("Without dev queries the re-ranker is mixed with nothing.")
    else:
        first_stage, dense = (f"{evaluation.shares[mix]:.0%}" for mix in MIXES)
        said.append(
            f"Mixed with the first stage the re-ranker has a share of {first_stage}, with dense {dense}, both chosen "
            "on the dev split."
        )
    return said


def attribution_sentence(attribution: Attribution) -> str:
    """Both losses in words."""
    means = attribution.means
    return (
        f"Of an ideal list's {means['ideal']:.4f}, {means['lost to recall']:.4f} is lost because passages weren't "
        f"retrieved, {means['lost to ranking']:.4f} because they were and stand too low. The lower bars count queries "
        "by what they lose."
    )


def _show_table(comparison: Comparison) -> None:
    found = stage_columns(comparison)
    config: dict[str, Any] = {name: st.column_config.NumberColumn(format="%.4f") for name in columns(comparison)}
    config["tested"] = st.column_config.TextColumn(
        help=f"Against {comparison.baseline}: shown where the 95 % interval of the difference excludes zero."
    )
    st.dataframe(found, hide_index=True, column_config=config, key="evaluate_stages")


def _show_queries(report: Report, asked: Asked) -> None:
    comparison = report.comparison
    _heading("Wins and losses", f"each query's {comparison.measure} less {comparison.baseline}'s")
    tested = list(comparison.versus)
    system = pick("Stage", tested, key="evaluate_system", default=RERANKED if RERANKED in tested else tested[-1])
    words = f"{comparison.measure} less {comparison.baseline}'s"
    st.altair_chart(wins_chart(comparison.differences(system), report.queries, words=words), key="evaluate_wins")
    address = partial(search_address, index=asked.index, depth=asked.depth, reranker=asked.reranker)
    losses = report.attribution.losses if system == RERANKED else None
    show_queries(
        query_columns(comparison, system, report.queries, address=address, losses=losses), key="evaluate_queries"
    )


def _offer_downloads(evaluation: Evaluation, asked: Asked, *, archive: bytes, qrels: bytes, fault: str) -> None:
    _heading("To take away", "and to check with other programs")
    name = f"{asked.index}-{asked.split}-{evaluation.build}"
    figures = json.dumps(evaluation.as_json(), indent=2, sort_keys=True, ensure_ascii=False).encode()
    files = [("figures", "Figures (JSON)", figures, f"{name}.json", "application/json")]
    if fault:
        problem(f"Runs and qrels can't be written: {fault}")
    else:
        files = [
            ("runs", "TREC runs and report (ZIP)", archive, f"{name}.zip", "application/zip"),
            ("qrels", "Qrels", qrels, f"{name}-qrels.txt", "text/plain"),
            *files,
        ]
    with st.container(horizontal=True, gap="small", key="evaluate_downloads"):
        for key, label, content, file_name, mime in files:
            st.download_button(
                label, content, file_name, mime, key=f"evaluate_download_{key}", on_click="ignore", width="content"
            )
    note(f"The same figures by trec_eval, in the unpacked ZIP: {trec_eval_command(minimum_grade=asked.minimum_grade)}")


def _heading(title: str, about: str) -> None:
    st.html(f'<h3 class="sl-heading">{escape(title)} <small>{escape(about)}</small></h3>')
