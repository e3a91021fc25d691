"""A decision as one HTML file: whether re-ranking pays on an index, every pipeline that was tried, and its cost."""

from collections.abc import Mapping

from indexing.notes import counted
from search.served import NO_RERANKER
from training.choosing.decide import Decision
from training.choosing.latency import Latency
from training.choosing.table import how
from training.choosing.verdict import Row
from training.evaluation.html.markup import Markup, element
from training.evaluation.html.page import cell, ends, figure, head, notes, page, row, table
from training.evaluation.html.plots import WIDTH, Scale, interval
from training.evaluation.html.sections import KINDS
from training.evaluation.settings import MAIN_MEASURE


def decision_html(decision: Decision, builds: Mapping[str, str], *, at: str) -> str:
    """The whole document; `builds` holds the build of each index by its name, and `at` says when it was made."""
    places = ", ".join(f"index {name}, build {build}" for name, build in builds.items())
    count = counted(decision.comparing, "query", "queries")
    basis = f"{count} of {decision.judged:,} judged compare; the others chose · depth as given in each row · {places}"
    facts = {
        "Index": "; ".join(builds),
        "Build": "; ".join(builds.values()),
        "Judged queries": f"{decision.judged:,}, of which {decision.comparing:,} compare",
        "Verdict": decision.verdict.kind,
    }
    if not decision.rows:
        basis = f"nothing is judged · {places}"
    body = [element("p", decision.verdict.sentence, class_="finding")]
    body.append(_means(decision, basis) if decision.rows else _timed(decision, basis))
    if decision.baseline is not None:
        name = decision.baseline.name
        body += [element("h3", f"Against {name}"), _differences(decision, name, basis)]
    if decision.to_label:
        body += [element("h3", "What to judge next"), _to_judge(decision, basis)]
    title = f"Does re-ranking pay on {', '.join(builds)}?"
    return page(title, facts, *body, notes(decision.notes), made=f"Made by Second Look on {at}.")


def _means(decision: Decision, basis: str) -> Markup:
    scale = Scale.over([end for each in decision.rows for end in each.interval], WIDTH)
    lines = [
        row(
            each.name,
            cell(how(each.contender), class_="text"),
            cell(f"{each.mean:.4f}"),
            element("td", interval(each.mean, *each.interval, scale), class_="plot"),
            *_milliseconds(each.latency),
            main=_is_chosen(each, decision),
        )
        for each in decision.rows
    ]
    plots = ends(f"{scale.low:.2f}", f"{scale.high:.2f}")
    heads = [head(""), head("how", class_="text"), head(MAIN_MEASURE), plots, head("ms, p50"), head("ms, p95")]
    caption = (
        f"Mean {MAIN_MEASURE} of every pipeline on the queries that compare, with its 95 % interval, and the "
        "milliseconds of a query, as measured."
    )
    return figure(table(heads, lines), caption, basis=basis)


def _differences(decision: Decision, baseline: str, basis: str) -> Markup:
    compared = [(each, each.compared) for each in decision.rows if each.compared is not None]
    scale = Scale.over([0.0, *(end for _, versus in compared for end in versus.paired.interval)], WIDTH)
    lines = []
    for each, versus in compared:
        paired = versus.paired
        kind = KINDS.get(paired.outcome, "")
        plot = interval(paired.difference, *paired.interval, scale, kind=kind, zero=True)
        cells = (
            cell(f"{paired.difference:+.4f}"),
            cell(f"{paired.interval.low:+.3f} to {paired.interval.high:+.3f}"),
            element("td", plot, class_="plot"),
            cell(paired.outcome, class_="word"),
            cell(f"{versus.holm:.4f}"),
        )
        lines.append(row(each.name, *cells, main=_is_chosen(each, decision)))
    plots = ends(f"{scale.low:+.2f}", f"{scale.high:+.2f}")
    heads = [head(""), head("difference"), head("95 % interval"), plots, head("shown", class_="word"), head("p")]
    caption = (
        f"{MAIN_MEASURE} minus that of {baseline}, the best without a re-ranker, query by query; the dashed line is no "
        "difference, and p is after Holm's correction."
    )
    return figure(table(heads, lines), caption, basis=basis)


def _is_chosen(each: Row, decision: Decision) -> bool:
    """Whether a row is the best pipeline with a re-ranker."""
    return decision.reranked is not None and each.name == decision.reranked.name


def _timed(decision: Decision, basis: str) -> Markup:
    lines = [
        row(
            each.name,
            cell("" if each.contender.reranker == NO_RERANKER else each.contender.reranker, class_="word"),
            cell("" if each.overlap is None else f"{each.overlap:.3f}"),
            *_milliseconds(each.latency),
        )
        for each in decision.timed
    ]
    heads = [head(""), head("re-ranker", class_="word"), head("overlap"), head("ms, p50"), head("ms, p95")]
    caption = "Overlap with the first stage's lists (rank-biased overlap), and milliseconds of a query, as measured."
    return figure(table(heads, lines), caption, basis=basis)


def _to_judge(decision: Decision, basis: str) -> Markup:
    lines = [
        element("tr", cell(one.query.text, class_="text"), cell(f"{one.overlap:.2f}"), cell(str(one.unjudged)))
        for one in decision.to_label
    ]
    caption = (
        "The queries on which the lists disagree most: the overlap of the first ten (rank-biased), and how many "
        "passages of them nobody judged."
    )
    return figure(table([head("query"), head("overlap"), head("unjudged")], lines), caption, basis=basis)


def _milliseconds(latency: Latency | None) -> tuple[Markup, Markup]:
    return (cell(""), cell("")) if latency is None else (cell(f"{latency.p50:.0f}"), cell(f"{latency.p95:.0f}"))
