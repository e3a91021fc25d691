"""The report on one judged set: a table of stages, significance tests, losses, a depth sweep, and their files."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from indexing import atomic
from indexing.judged.sets import JudgedSet
from indexing.records import PassageId, Qrels, Query, QueryId, Run
from training.evaluation import comparison as compared
from training.evaluation.attribution import Attribution, attribute, oracle
from training.evaluation.comparison import Comparison
from training.evaluation.depth_sweep import Depth, depth_sweep
from training.evaluation.files import trec_eval_command, write_queries, write_trec
from training.evaluation.measures import check_minimum_grade, relevant_grade
from training.evaluation.missed import SecondAccount
from training.evaluation.settings import BINARY, GRADED, MAIN_MEASURE, EvaluationSettings
from training.evaluation.significance import TIE
from training.evaluation.stages import RERANKED, Stages

ORACLE = "oracle of the re-ranked candidates"
RERANKED_WITH_MISSED = "re-ranked, missed positives added"
SWEPT = (MAIN_MEASURE, "MRR@10", "MAP")


@dataclass(frozen=True, kw_only=True)
class EvaluationReport:
    """The figures of one judged set."""

    title: str
    settings: EvaluationSettings
    """The settings as requested."""
    minimum_grade: int
    """Least grade that counted as relevant."""
    queries: Sequence[Query]
    qrels: Qrels
    runs: Mapping[str, Run]
    comparison: Comparison
    attribution: Attribution
    """The losses of the re-ranked stage."""
    sweep: Sequence[Depth]
    second_account: SecondAccount | None
    without_relevant: int
    """Judged queries without a passage of the minimum grade."""
    notes: tuple[str, ...] = ()
    """What was left out, and where judgments, runs and passages don't fit, in sentences."""


def make_report(
    title: str,
    stages: Stages,
    judged: JudgedSet,
    *,
    runs: Mapping[str, Run],
    settings: EvaluationSettings,
    candidates: Run | None = None,
    second_account: SecondAccount | None = None,
    absent: Mapping[QueryId, Collection[PassageId]] = MappingProxyType({}),
    notes: Sequence[str] = (),
) -> EvaluationReport:
    """Measure and compare `runs`, the stages' own and other systems', and attribute the losses of re-ranking.

    `candidates` are the lists that were re-ranked, in the order in which a smaller depth would take them; None for the
    fused ones. `absent` are the relevant passages that the collection lacks, `notes` what is said already.

    Raises:
        SettingsError: the settings don't fit the runs or the judgments.
    """
    qrels, measure = judged.qrels, settings.measure
    grade = relevant_grade(qrels, settings.minimum_grade)
    without = check_minimum_grade(qrels, minimum_grade=grade)
    lists = stages.fused if candidates is None else candidates
    references = _references(lists, qrels, second_account)
    comparison = _compared(runs, qrels, settings, minimum_grade=grade, references=references)
    return EvaluationReport(
        title=title,
        settings=settings,
        minimum_grade=grade,
        queries=judged.queries,
        qrels=qrels,
        runs=runs,
        comparison=comparison,
        attribution=attribute(stages.reranked, lists, qrels, measure=measure, minimum_grade=grade, absent=absent),
        sweep=depth_sweep(lists, stages.reranked, qrels, minimum_grade=grade, seconds_per_pair=stages.seconds_per_pair),
        second_account=second_account,
        without_relevant=without,
        notes=(*notes, *comparison.notes),
    )


def _compared(
    runs: Mapping[str, Run],
    qrels: Qrels,
    settings: EvaluationSettings,
    *,
    minimum_grade: int,
    references: Mapping[str, Run],
) -> Comparison:
    return compared.compare_runs(
        runs,
        qrels,
        baseline=settings.baseline,
        minimum_grade=minimum_grade,
        measure=settings.measure,
        references=references,
    )


def _references(lists: Run, qrels: Qrels, second_account: SecondAccount | None) -> dict[str, Run]:
    """What is measured beside the systems: the oracle, and the lists with what the first stage missed."""
    added = {} if second_account is None else {RERANKED_WITH_MISSED: second_account.reranked}
    return {ORACLE: oracle(lists, qrels), **added}


def markdown(report: EvaluationReport) -> str:
    """The whole report as Markdown."""
    parts = [
        f"### {report.title} ({len(report.qrels)} judged queries)",
        compared.comparison_table(report.comparison),
        compared.differences_table(report.comparison),
        _losses(report.attribution),
        _sweep_table(report.sweep),
        _notes(report),
        *report.notes,
    ]
    return "\n\n".join(parts)


def _losses(attribution: Attribution) -> str:
    means, bounds = attribution.means, attribution.bounds
    return (
        f"{attribution.measure} of '{RERANKED}' is {means['value']:.4f}; the best order of its candidates has "
        f"{means['ceiling']:.4f}, an ideal list {means['ideal']:.4f}. Lost to recall: {means['lost to recall']:.4f}, "
        f"to ranking: {means['lost to ranking']:.4f}. {bounds['recall']} queries lose more to recall, "
        f"{bounds['ranking']} to ranking, {bounds['both']} equally to both, {bounds['none']} nothing."
        f"{_absent(attribution)}"
    )


def _absent(attribution: Attribution) -> str:
    """The sentence on what passages that the collection lacks would add; empty if there are none."""
    lost, queries = attribution.means["lost to absent passages"], attribution.bounds["absent"]
    if lost <= TIE and not queries:
        return ""
    return (
        f" Judged passages that the collection lacks would add {lost:.4f}, which is lost neither to recall nor to "
        f"ranking; {queries} queries lose most to them."
    )


def _sweep_table(sweep: Sequence[Depth]) -> str:
    lines = [
        f"| re-ranked | {' | '.join(SWEPT)} | ceiling of {SWEPT[0]} | seconds a query |",
        "|---:|" + "---:|" * (len(SWEPT) + 2),
    ]
    for row in sweep:
        means = row.measured.means
        figures = " | ".join(f"{means[name]:.4f}" for name in SWEPT)
        seconds = "" if row.seconds is None else f"{row.seconds:.3f}"
        lines.append(f"| {row.depth} | {figures} | {row.ceiling.means[SWEPT[0]]:.4f} | {seconds} |")
    return "\n".join(lines)


def _notes(report: EvaluationReport) -> str:
    notes = []
    if report.settings.minimum_grade is None and report.minimum_grade == BINARY:
        notes.append(
            f"The judgments are binary: none has grade {GRADED} or more, so grade {BINARY} counts as relevant."
        )
    notes.append(
        "Means are over all judged queries that have a text. MRR, MAP and recall count grade "
        f"{report.minimum_grade} or more as relevant; {report.without_relevant} queries have no such passage and count "
        f"0 there. p values are after Holm's correction for {len(report.comparison.versus)} tests; intervals are "
        "bootstrapped over the queries."
    )
    if nothing := sum(max(grades.values(), default=0) <= 0 for grades in report.qrels.values()):
        notes.append(f"{nothing} queries have no relevant passage at all and count 0 by every measure.")
    if report.second_account is not None:
        notes.append(
            f"'{RERANKED_WITH_MISSED}': {report.second_account.appended} judged positives that the first stage missed "
            f"were re-ranked too; {report.second_account.without_text} more aren't in the collection."
        )
    return " ".join(notes)


def report_json(report: EvaluationReport) -> dict[str, Any]:
    """All figures of the report."""
    figures: dict[str, Any] = {
        "title": report.title,
        "queries": len(report.qrels),
        "minimum_grade": report.minimum_grade,
        "queries_without_relevant": report.without_relevant,
        "notes": list(report.notes),
        "comparison": compared.comparison_json(report.comparison),
        "attribution": {
            "measure": report.attribution.measure,
            "means": report.attribution.means,
            "bound_by": report.attribution.bounds,
        },
        "depth_sweep": [
            {
                "depth": row.depth,
                "means": row.measured.means,
                "ceiling": row.ceiling.means,
                "seconds_per_query": row.seconds,
            }
            for row in report.sweep
        ],
    }
    if report.second_account is not None:
        figures["missed_positives"] = {
            "appended": report.second_account.appended,
            "without_text": report.second_account.without_text,
        }
    return figures


def write_report(folder: Path, report: EvaluationReport) -> None:
    """Write report.md, report.json, queries.tsv, qrels.txt and runs/*.trec, each atomically; other files there stay."""
    write_trec(folder, report.runs, report.qrels)
    write_queries(folder / "queries.tsv", report.comparison, report.queries, attribution=report.attribution)
    atomic.write_json(folder / "report.json", report_json(report))
    command = trec_eval_command(minimum_grade=report.minimum_grade)
    atomic.write_text(folder / "report.md", f"{markdown(report)}\n\nThe same by trec_eval: `{command}`\n")
