"""The parts that every report of a comparison has: means with intervals, differences, and the queries behind them."""

from collections.abc import Mapping, Sequence

from indexing.notes import counted
from indexing.records import QueryId
from training.evaluation.comparison import Comparison, comparison_columns
from training.evaluation.html.markup import Markup, element, join
from training.evaluation.html.page import cell, ends, figure, head, row, table
from training.evaluation.html.plots import WIDTH, Scale, bars, interval
from training.evaluation.paired import BETTER, WORSE
from training.evaluation.significance import TIE

SHOWN = 8  # queries that gained most, and as many that lost most
KINDS: Mapping[str, str] = {BETTER: "better", WORSE: "worse"}


def means(comparison: Comparison, *, main: str, basis: str) -> Markup:
    """Each system's mean with its interval, on one scale."""
    name = comparison.measure
    scale = Scale.over([end for each in comparison.intervals.values() for end in each], WIDTH)
    rows = []
    for system, measured in comparison.systems.items():
        value, (low, high) = measured.means[name], comparison.intervals[system]
        plot = element("td", interval(value, low, high, scale), class_="plot")
        cells = cell(f"{value:.4f}"), cell(f"{low:.3f} to {high:.3f}"), plot
        rows.append(row(system, *cells, main=system == main))
    heads = [head(""), head(name), head("95 % interval"), ends(f"{scale.low:.2f}", f"{scale.high:.2f}")]
    return figure(table(heads, rows), f"Mean {name} of each system.", basis=basis)


def measures(comparison: Comparison, *, main: str, basis: str) -> Markup:
    """Every measure of every system."""
    names = comparison_columns(comparison)
    rows = [
        row(system, *(cell(f"{measured.means[name]:.4f}") for name in names), main=system == main)
        for system, measured in comparison.systems.items()
    ]
    grade = f"MRR, MAP and recall count grade {comparison.minimum_grade} or more as relevant."
    return figure(table([head(""), *map(head, names)], rows), f"Means over the queries. {grade}", basis=basis)


def differences(comparison: Comparison, *, main: str, basis: str) -> Markup:
    """Each system against the baseline: difference, interval, and what they show."""
    reached = [end for versus in comparison.versus.values() for end in versus.interval]
    scale = Scale.over([0.0, *reached], WIDTH)
    rows = []
    for system, versus in comparison.versus.items():
        (low, high), kind = versus.interval, KINDS.get(versus.outcome, "")
        plot = interval(versus.difference, low, high, scale, kind=kind, zero=True)
        cells = (
            cell(f"{versus.difference:+.4f}"),
            cell(f"{low:+.3f} to {high:+.3f}"),
            element("td", plot, class_="plot"),
            cell(versus.outcome, class_="word"),
            cell(" / ".join(map(str, versus.outcomes))),
            cell("< 0.0001" if versus.holm_randomization < 0.0001 else f"{versus.holm_randomization:.4f}"),
        )
        rows.append(row(system, *cells, main=system == main))
    heads = [
        head(""),
        head("difference"),
        head("95 % interval"),
        ends(_signed(scale.low), _signed(scale.high)),
        head("shown", class_="word"),
        head("won / lost / tied"),
        head("p"),
    ]
    caption = (
        f"{comparison.measure} minus that of {comparison.baseline}, query by query; the dashed line is no difference. "
        f"Intervals are bootstrapped over the queries; p is of a randomization test, after Holm's correction."
    )
    return figure(table(heads, rows), caption, basis=basis)


def by_query(comparison: Comparison, system: str, texts: Mapping[QueryId, str], *, basis: str) -> Markup:
    """One system against the baseline on each query, and the queries that changed most."""
    values = comparison.differences(system)
    gained = sum(value > TIE for value in values.values())
    lost = sum(value < -TIE for value in values.values())
    label = (
        f"{system} against {comparison.baseline}: {counted(gained, 'query gains', 'queries gain')} "
        f"{comparison.measure}, {lost:,} lose, {len(values) - gained - lost:,} stay as they were."
    )
    plot = bars(list(values.values()), label=label)
    parts = [figure(plot, f"{label} One bar a query, from the largest gain to the largest loss.", basis=basis)]
    ordered = sorted(values, key=lambda query: (-values[query], query))
    for title, queries in (
        ("Lost most", [query for query in reversed(ordered) if values[query] < -TIE][:SHOWN]),
        ("Gained most", [query for query in ordered if values[query] > TIE][:SHOWN]),
    ):
        if queries:
            parts += [element("h3", title), _queries(comparison, system, queries, texts, basis=basis)]
    return join(parts)


def _queries(
    comparison: Comparison, system: str, queries: Sequence[QueryId], texts: Mapping[QueryId, str], *, basis: str
) -> Markup:
    values = comparison.differences(system)
    ours, theirs = (comparison.systems[name].per_query[comparison.measure] for name in (system, comparison.baseline))
    rows = [
        element(
            "tr",
            cell(texts.get(query, query), class_="text"),
            cell(f"{theirs[query]:.3f}"),
            cell(f"{ours[query]:.3f}"),
            cell(f"{values[query]:+.3f}", class_="up" if values[query] > 0 else "down"),
        )
        for query in queries
    ]
    heads = [head("query"), head(comparison.baseline), head(system), head("difference")]
    return figure(table(heads, rows), f"{comparison.measure} of each query.", basis=basis)


def _signed(value: float) -> str:
    return f"{value:+.2f}" if abs(value) >= 0.005 else "0"
