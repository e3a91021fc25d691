"""The results of an evaluation: a table of stages, intervals, depths, losses, queries, and downloads."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import streamlit as st

from app.views.evaluate.charts import bound_chart, ceiling_chart, interval_chart, sweep_chart, wins_chart
from app.views.evaluate.form import EvaluationChoice
from app.views.widgets.figures import heading_html, interval_text, p_text
from app.views.widgets.measured.html_report import report_button
from app.views.widgets.measured.query_table import query_columns, search_address, show_queries
from app.views.widgets.notices import note, plain, problem
from app.views.widgets.pickers import pick
from app.views.widgets.terms import meaning, measure_meaning
from training.evaluation.attribution import Attribution
from training.evaluation.comparison import Comparison, comparison_columns
from training.evaluation.evaluate import Evaluation
from training.evaluation.files import trec_eval_command
from training.evaluation.html.evaluation import evaluation_html
from training.evaluation.paired import BETTER, WORSE
from training.evaluation.report import EvaluationReport
from training.evaluation.significance import TIE
from training.evaluation.stages import RERANKED

SIGNS = {BETTER: "▲", WORSE: "▼"}


@dataclass(frozen=True, kw_only=True)
class Files:
    """Files to download."""

    archive: bytes = b""
    """ZIP of the report, values by query, TREC runs and qrels; empty where they can't be written."""
    qrels: bytes = b""
    fault: str = ""
    """Why they can't be written; else empty."""


def show_results(
    evaluation: Evaluation, choice: EvaluationChoice, *, files: Files | None, used: Sequence[str] = ()
) -> None:
    """Show all results.

    Args:
        evaluation: what was measured.
        choice: what was requested.
        files: runs and qrels to download; None where only the figures are there.
        used: sentences on what was measured before and used again.
    """
    report = evaluation.reports[0]
    _heading("Stages", about(evaluation, choice))
    _show_table(report.comparison)
    note(*notes(evaluation), *used)
    for sentence in report.notes:
        st.warning(plain(sentence), icon=":material/rule:")
    st.altair_chart(interval_chart(report.comparison), key="evaluate_intervals")
    left, right = st.columns(2, gap="medium")
    with left:
        _heading("Depth against time", f"{choice.measure} by the number of candidates re-ranked")
        st.altair_chart(sweep_chart(report.sweep, choice.measure), key="evaluate_sweep")
        note("The number at each point is the depth. The dashed line is the best possible order of these candidates.")
    with right:
        _heading("Where losses arise", f"in the stage “{RERANKED}”")
        st.altair_chart(ceiling_chart(report.attribution), key="evaluate_ceiling")
        st.altair_chart(bound_chart(report.attribution), key="evaluate_bounds")
        note(attribution_sentence(report.attribution))
    _show_queries(report, choice)
    _offer_downloads(evaluation, choice, files)


def about(evaluation: Evaluation, choice: EvaluationChoice) -> str:
    """What all figures are of: set, queries, depth, build and re-ranker."""
    report = evaluation.reports[0]
    return (
        f"{report.title}, {len(report.qrels):,} judged queries, depth {choice.depth:,}, build {evaluation.build}, "
        f"re-ranker {evaluation.reranker}"
    )


def stage_columns(comparison: Comparison) -> dict[str, list[Any]]:
    """The table's columns, a row for each system: means, interval, difference from the baseline, p and its meaning."""
    intervals = [comparison.intervals[name] for name in comparison.systems]
    against_baseline = [comparison.versus.get(name) for name in comparison.systems]
    table: dict[str, list[Any]] = {
        "stage": list(comparison.systems),
        comparison.measure: _means(comparison, comparison.measure),
        "95 %": [interval_text(interval) for interval in intervals],
        "tested": [marker(comparison, name) for name in comparison.systems],
    }
    table["difference"] = ["" if versus is None else f"{versus.difference:+.4f}" for versus in against_baseline]
    table["95 % of difference"] = [
        "" if versus is None else interval_text(versus.interval, signed=True) for versus in against_baseline
    ]
    table["p (Holm)"] = ["" if versus is None else p_text(versus.holm_randomization) for versus in against_baseline]
    table["won / lost / tied"] = [
        "" if versus is None else " / ".join(map(str, versus.outcomes)) for versus in against_baseline
    ]
    return table | {
        name: _means(comparison, name) for name in comparison_columns(comparison) if name != comparison.measure
    }


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
    """How the figures were computed."""
    report = evaluation.reports[0]
    comparison = report.comparison
    sentences = [
        f"By {comparison.measure} against {comparison.baseline}: better or worse where the 95 % interval of the paired "
        "difference, bootstrapped over the queries, excludes zero; p is from the two-sided paired randomization test, "
        f"after Holm's correction for {len(comparison.versus)} tests. Means are over all judged queries with a text; "
        f"{report.without_relevant:,} have no passage of grade {comparison.minimum_grade} or higher."
    ]
    if evaluation.shares is None:
        sentences.append("Without dev queries the re-ranker isn't mixed with another score.")
    else:
        words = {"fused": "the first stage", "dense": "dense", "late": "late interaction"}
        shares = [f"{share:.0%} when mixed with {words[mix]}" for mix, share in evaluation.shares.items()]
        sentences.append(
            f"The re-ranker's share is {', '.join(shares[:-1])} and {shares[-1]}; each was chosen on the dev split."
        )
    return sentences


def attribution_sentence(attribution: Attribution) -> str:
    """Both kinds of loss in words."""
    means = attribution.means
    absent = means["lost to absent passages"]
    missing = f", and {absent:.4f} because the index lacks judged passages" if absent > TIE else ""
    return (
        f"Of an ideal list's {means['ideal']:.4f}, {means['lost to recall']:.4f} is lost because passages weren't "
        f"retrieved, and {means['lost to ranking']:.4f} because retrieved ones rank too low{missing}. The lower bars "
        "count queries by where they lose most."
    )


def _show_table(comparison: Comparison) -> None:
    table = stage_columns(comparison)
    config: dict[str, Any] = {
        name: st.column_config.NumberColumn(format="%.4f", help=measure_meaning(name))
        for name in comparison_columns(comparison)
    }
    terms = {
        "95 %": meaning("95 % interval"),
        "difference": f"{meaning('Difference')} Here with {comparison.baseline}.",
        "95 % of difference": meaning("95 % interval"),
        "p (Holm)": f"{meaning('p')} It is corrected for the number of tests.",
        "won / lost / tied": meaning("Won / lost / tied"),
    }
    config |= {name: st.column_config.TextColumn(help=sentence) for name, sentence in terms.items()}
    config["tested"] = st.column_config.TextColumn(
        help=f"Against {comparison.baseline}: shown where the 95 % interval of the difference excludes zero."
    )
    st.dataframe(table, hide_index=True, column_config=config, key="evaluate_stages")


def _show_queries(report: EvaluationReport, choice: EvaluationChoice) -> None:
    comparison = report.comparison
    _heading("Wins and losses", f"each query's {comparison.measure} minus that of {comparison.baseline}")
    tested = list(comparison.versus)
    system = pick("Stage", tested, key="evaluate_system", default=RERANKED if RERANKED in tested else tested[-1])
    words = f"{comparison.measure} minus {comparison.baseline}'s"
    st.altair_chart(wins_chart(comparison.differences(system), report.queries, words=words), key="evaluate_wins")
    address = partial(search_address, index=choice.index, depth=choice.depth, reranker=choice.reranker)
    losses = report.attribution.losses if system == RERANKED else None
    show_queries(
        query_columns(comparison, system, report.queries, address=address, losses=losses), key="evaluate_queries"
    )


def _offer_downloads(evaluation: Evaluation, choice: EvaluationChoice, written: Files | None) -> None:
    _heading("Downloads", "to check the results with other programs")
    name = f"{choice.index}-{choice.split}-{evaluation.build}"
    figures = json.dumps(evaluation.as_json(), indent=2, sort_keys=True, ensure_ascii=False).encode()
    files = [("figures", "Figures (JSON)", figures, f"{name}.json", "application/json")]
    if written is not None and written.fault:
        problem(f"Runs and qrels can't be written: {written.fault}")
    elif written is not None:
        files = [
            ("runs", "TREC runs and report (ZIP)", written.archive, f"{name}.zip", "application/zip"),
            ("qrels", "Qrels", written.qrels, f"{name}-qrels.txt", "text/plain"),
            *files,
        ]
    with st.container(horizontal=True, gap="small", key="evaluate_downloads"):
        for key, label, content, file_name, mime in files:
            st.download_button(
                label, content, file_name, mime, key=f"evaluate_download_{key}", on_click="ignore", width="content"
            )
        report_button(
            lambda at: evaluation_html(evaluation, at=at), file_name=f"{name}.html", key="evaluate_download_report"
        )
    if written is None:
        note("TREC runs and qrels can be downloaded after the next Run.")
        return
    command = trec_eval_command(minimum_grade=choice.minimum_grade)
    note(f"To compute the same figures with trec_eval, run in the unpacked ZIP: {command}")


def _heading(title: str, about: str) -> None:
    st.html(heading_html(title, about))
