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
    body = [
        element("p", decision.verdict.sentence, class_="finding"),
        _rows(decision, basis) if decision.rows else _timed(decision, basis),
    ]
    if decision.to_label:
        body += [element("h3", "What to judge next"), _to_judge(decision, basis)]
    title = f"Does re-ranking pay on {', '.join(builds)}?"
    return page(title, facts, *body, notes(decision.notes), made=f"Made by Second Look on {at}.")


def _rows(decision: Decision, basis: str) -> Markup:
    scale = Scale.over([end for each in decision.rows for end in each.interval], WIDTH)
    chosen = decision.reranked.name if decision.reranked is not None else ""
    lines = [_line(each, scale, main=each.name == chosen) for each in decision.rows]
    heads = [
        head(""),
        head("how", class_="text"),
        head(MAIN_MEASURE),
        ends(f"{scale.low:.2f}", f"{scale.high:.2f}"),
        head("difference"),
        head("95 % interval"),
        head("shown", class_="word"),
        head("p"),
        head("ms, p50"),
        head("p95"),
    ]
    baseline = "the best pipeline without a re-ranker" if decision.baseline is None else decision.baseline.name
    caption = (
        f"Mean {MAIN_MEASURE} on the queries that compare, and its difference from {baseline} with the 95 % interval; "
        "p is after Holm's correction. Milliseconds are those of a query, as measured."
    )
    return figure(table(heads, lines), caption, basis=basis)


def _line(each: Row, scale: Scale, *, main: bool) -> Markup:
    difference, reached, shown, p = "", "", "", ""
    if each.compared is not None:
        paired = each.compared.paired
        low, high = paired.interval
        difference, reached = f"{paired.difference:+.4f}", f"{low:+.3f} to {high:+.3f}"
        shown, p = paired.outcome, f"{each.compared.holm:.4f}"
    plot = interval(each.mean, *each.interval, scale, kind=KINDS.get(shown, ""))
    return row(
        each.name,
        cell(how(each.contender), class_="text"),
        cell(f"{each.mean:.4f}"),
        element("td", plot, class_="plot"),
        cell(difference),
        cell(reached),
        cell(shown, class_="word"),
        cell(p),
        *_milliseconds(each.latency),
        main=main,
    )


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
