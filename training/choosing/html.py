"""A decision as one HTML file: whether re-ranking pays on an index, every pipeline that was tried, and its cost.

It is made of the figures that `Decision.as_json` gives, so that one that was kept can be downloaded days later.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from indexing.notes import counted
from search.served import NO_RERANKER
from search.settings import PipelineSettings
from training.choosing.contenders import Contender
from training.choosing.table import how
from training.evaluation.html.markup import Markup, element
from training.evaluation.html.page import cell, ends, figure, head, notes, page, row, table
from training.evaluation.html.plots import WIDTH, Scale, interval
from training.evaluation.html.sections import KINDS
from training.evaluation.settings import MAIN_MEASURE

FIGURE = "ndcg@10"  # by which a row's figures call their mean
Figures = Mapping[str, Any]


def decision_html(figures: Figures, builds: Mapping[str, str], *, split: str, at: str) -> str:
    """The whole document.

    Args:
        figures: the decision, as `Decision.as_json` gives it.
        builds: the build of each index by its name.
        split: of the judged queries, or the name of their file.
        at: when it was made.
    """
    rows: Sequence[Figures] = figures["pipelines"]
    places = ", ".join(f"index {name}, build {build}" for name, build in builds.items())
    judged, comparing = figures["judged"], figures["comparing"]
    count = counted(comparing, "query", "queries")
    basis = f"{split}: {count} of {judged:,} judged compare; the others chose · depth as given in each row · {places}"
    facts = {
        "Index": "; ".join(builds),
        "Build": "; ".join(builds.values()),
        "Judged queries": f"{judged:,} of {split}, of which {comparing:,} compare",
        "Verdict": figures["verdict"],
    }
    if not comparing:
        basis = f"nothing is judged · {places}"
    body = [element("p", figures["sentence"], class_="finding")]
    body.append(_means(rows, figures["reranked"], basis) if comparing else _timed(rows, basis))
    if figures["baseline"] is not None:
        heading = element("h3", f"Against {figures['baseline']}")
        body += [heading, _differences(rows, figures["baseline"], figures["reranked"], basis)]
    if figures["to_label"]:
        body += [element("h3", "What to judge next"), _to_judge(figures["to_label"], basis)]
    title = f"Does re-ranking pay on {', '.join(builds)}?"
    return page(title, facts, *body, notes(figures["notes"]), made=f"Made by Second Look on {at}.")


def _means(rows: Sequence[Figures], chosen: str | None, basis: str) -> Markup:
    scale = Scale.over([end for each in rows for end in each["interval"]], WIDTH)
    lines = [
        row(
            each["name"],
            cell(_how(each), class_="text"),
            cell(f"{each[FIGURE]:.4f}"),
            cell(f"{low:.3f} to {high:.3f}"),
            element("td", interval(each[FIGURE], low, high, scale), class_="plot"),
            *_milliseconds(each),
            main=each["name"] == chosen,
        )
        for each, (low, high) in ((each, each["interval"]) for each in rows)
    ]
    plots = ends(f"{scale.low:.2f}", f"{scale.high:.2f}")
    means = (head(MAIN_MEASURE), head("95 % interval"), plots)
    heads = [head(""), head("how", class_="text"), *means, head("ms, p50"), head("ms, p95")]
    caption = (
        f"Mean {MAIN_MEASURE} of every pipeline on the queries that compare, with its 95 % interval, and the "
        "milliseconds of a query, as measured."
    )
    return figure(table(heads, lines), caption, basis=basis)


def _how(each: Figures) -> str:
    settings = PipelineSettings(**each["settings"])
    return how(Contender(reranker=each["reranker"], settings=settings, run=each.get("run", "")))


def _differences(rows: Sequence[Figures], baseline: str, chosen: str | None, basis: str) -> Markup:
    compared = [(each, each["versus_baseline"]) for each in rows if each["versus_baseline"] is not None]
    scale = Scale.over([0.0, *(end for _, versus in compared for end in versus["interval"])], WIDTH)
    lines = []
    for each, versus in compared:
        low, high = versus["interval"]
        kind = KINDS.get(versus["outcome"], "")
        plot = interval(versus["difference"], low, high, scale, kind=kind, zero=True)
        cells = (
            cell(f"{versus['difference']:+.4f}"),
            cell(f"{low:+.3f} to {high:+.3f}"),
            element("td", plot, class_="plot"),
            cell(versus["outcome"], class_="word"),
            cell(f"{versus['holm_randomisation']:.4f}"),
        )
        lines.append(row(each["name"], *cells, main=each["name"] == chosen))
    plots = ends(f"{scale.low:+.2f}", f"{scale.high:+.2f}")
    heads = [head(""), head("difference"), head("95 % interval"), plots, head("shown", class_="word"), head("p")]
    caption = (
        f"{MAIN_MEASURE} minus that of {baseline}, the best without a re-ranker, query by query; the dashed line is no "
        "difference, and p is after Holm's correction."
    )
    return figure(table(heads, lines), caption, basis=basis)


def _timed(rows: Sequence[Figures], basis: str) -> Markup:
    lines = [
        row(
            each["name"],
            cell("" if each["reranker"] == NO_RERANKER else each["reranker"], class_="word"),
            cell("" if each["rbo"] is None else f"{each['rbo']:.3f}"),
            *_milliseconds(each),
        )
        for each in rows
    ]
    heads = [head(""), head("re-ranker", class_="word"), head("overlap"), head("ms, p50"), head("ms, p95")]
    caption = "Overlap with the first stage's lists (rank-biased overlap), and milliseconds of a query, as measured."
    return figure(table(heads, lines), caption, basis=basis)


def _to_judge(queries: Sequence[Figures], basis: str) -> Markup:
    lines = [
        element("tr", cell(one["text"], class_="text"), cell(f"{one['rbo']:.2f}"), cell(str(one["unjudged"])))
        for one in queries
    ]
    caption = (
        "The queries on which the lists disagree most: the overlap of the first ten (rank-biased), and how many "
        "passages of them nobody judged."
    )
    return figure(table([head("query"), head("overlap"), head("unjudged")], lines), caption, basis=basis)


def _milliseconds(each: Figures) -> tuple[Markup, Markup]:
    known = each["milliseconds"]
    return (cell(""), cell("")) if known is None else (cell(f"{known['p50']:.0f}"), cell(f"{known['p95']:.0f}"))
