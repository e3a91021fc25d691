"""An evaluation as one HTML file: what re-ranking changed, how sure that is, what it lost, and on which queries."""

from collections.abc import Mapping

from indexing.notes import counted
from training.evaluation.attribution import Attribution
from training.evaluation.evaluate import Evaluation
from training.evaluation.html import sections
from training.evaluation.html.markup import Markup, element, join
from training.evaluation.html.page import figure, notes, page
from training.evaluation.html.plots import Part, line_plot, whole
from training.evaluation.report import RERANKED_WITH_MISSED, EvaluationReport
from training.evaluation.stages import RERANKED


def evaluation_html(evaluation: Evaluation, *, at: str) -> str:
    """The whole document; `at` says when it was made."""
    facts = {
        "Index": evaluation.index,
        "Build": evaluation.build,
        "Re-ranker": evaluation.reranker,
        "Judged queries": "; ".join(f"{len(part.qrels):,} ({part.title})" for part in evaluation.reports),
        "Depth": "; ".join(f"{_depth(part)} candidates a query are re-ranked" for part in evaluation.reports[:1]),
    }
    body = [_report(part, f"index {evaluation.index}, build {evaluation.build}") for part in evaluation.reports]
    return page(f"Evaluation of {evaluation.index}", facts, *body, made=f"Made by Second Look on {at}.")


def _depth(report: EvaluationReport) -> int:
    return max(row.depth for row in report.sweep)


def _report(report: EvaluationReport, place: str) -> Markup:
    comparison = report.comparison
    count = counted(len(report.qrels), "query", "queries")
    basis = f"{count} · {_depth(report)} candidates re-ranked · {place}"
    texts = {query.id: query.text for query in report.queries}
    parts = [element("h2", report.title), _finding(report)]
    parts.append(sections.means(comparison, main=RERANKED, basis=basis))
    parts += [element("h3", f"Against {comparison.baseline}")]
    parts.append(sections.differences(comparison, main=RERANKED, basis=basis))
    if RERANKED in comparison.versus:
        parts += [element("h3", "Query by query"), sections.by_query(comparison, RERANKED, texts, basis=basis)]
    parts += [element("h3", "How deep to re-rank"), _sweep(report, basis)]
    parts += [element("h3", "What is lost, and where"), _losses(report.attribution, basis)]
    parts += [element("h3", "All measures"), sections.measures(comparison, main=RERANKED, basis=basis)]
    return join([*parts, notes(_notes(report))])


def _finding(report: EvaluationReport) -> Markup:
    versus = report.comparison.versus.get(RERANKED)
    if versus is None:
        return Markup("")
    return element(
        "p", f"{versus.paired.sentence('the re-ranked list', report.comparison.baseline)}.", class_="finding"
    )


def _sweep(report: EvaluationReport, basis: str) -> Markup:
    measure = report.comparison.measure if report.comparison.measure in report.sweep[0].measured.means else "nDCG@10"
    rows = sorted(report.sweep, key=lambda row: row.depth)
    values, ceiling = ([getattr(row, name).means[measure] for row in rows] for name in ("measured", "ceiling"))
    steps = "; ".join(f"{row.depth}: {value:.4f}" for row, value in zip(rows, values, strict=True))
    plot = line_plot(
        [row.depth for row in rows],
        values,
        ceiling,
        label=f"{measure} by the number of candidates re-ranked: {steps}",
        names=("re-ranked", "best possible order"),
    )
    seconds = rows[-1].seconds
    cost = "" if seconds is None else f" Re-ranking {rows[-1].depth} took {seconds:.3f} s a query, as measured."
    return figure(
        plot, f"{measure} by the number of candidates that are re-ranked; 0 is the first stage.{cost}", basis=basis
    )


def _losses(attribution: Attribution, basis: str) -> Markup:
    means: Mapping[str, float] = attribution.means
    parts = [
        Part("reached", means["value"], "won"),
        Part("lost to ranking", means["lost to ranking"], "ranking"),
        Part("lost to recall", means["lost to recall"], "recall"),
        Part("lost to absent passages", means["lost to absent passages"], "absent"),
    ]
    told = [part for part in parts if part.value > 0]
    label = f"{attribution.measure}: " + ", ".join(f"{part.value:.4f} {part.name}" for part in told)
    keys = [join([_key(part), f"{part.value:.4f} {part.name}{'; ' if part is not told[-1] else ''}"]) for part in told]
    meaning = "Ranking: the passage was a candidate and stood too low. Recall: the first stage hadn't found it."
    return figure(
        whole(parts, label=label),
        *keys,
        f" ({attribution.measure}; all together are an ideal list). ",
        meaning,
        basis=basis,
    )


def _key(part: Part) -> Markup:
    square = element("rect", width=12, height=12, class_=part.kind)
    return element(
        "svg", square, width=12, height=12, aria_hidden="true", style="display:inline-block;margin-right:.35em"
    )


def _notes(report: EvaluationReport) -> list[str]:
    told = list(report.notes)
    if report.without_relevant:
        count = counted(report.without_relevant, "query has", "queries have")
        told.append(f"{count} no passage of grade {report.minimum_grade} or more and count 0 in MRR, MAP and recall.")
    if report.second_account is not None:
        found = counted(report.second_account.appended, "judged positive")
        told.append(f"{found} that the first stage missed: re-ranked too in the row '{RERANKED_WITH_MISSED}'.")
    return told
