"""A comparison of two versions as one HTML file: the difference and how sure it is, and the queries behind it."""

from dataclasses import dataclass

from indexing.notes import counted
from training.evaluation.html import sections
from training.evaluation.html.markup import element
from training.evaluation.html.page import notes, page
from training.versions.compare import VersionComparison


@dataclass(frozen=True, kw_only=True)
class ComparedOn:
    """What two versions were compared on."""

    index: str
    build: str
    split: str
    depth: int
    """Passages of each query that were re-ranked."""


def compare_html(found: VersionComparison, version: str, on: ComparedOn, *, at: str) -> str:
    """The whole document for a version against the comparison's baseline; `at` says when it was made."""
    comparison = found.comparison
    against, paired = comparison.baseline, comparison.versus[version].paired
    count = counted(paired.queries, "query", "queries")
    basis = f"{count} of {on.split} · {on.depth} candidates re-ranked · index {on.index}, build {on.build}"
    facts = {
        "Versions": f"{version} and {against}",
        "Index": on.index,
        "Build": on.build,
        "Judged queries": f"{paired.queries:,} of the {on.split} split",
        "Depth": f"{on.depth} candidates a query are re-ranked",
    }
    texts = {query.id: query.text for query in found.queries}
    body = (
        element("p", f"{paired.sentence(version, against)}.", class_="finding"),
        sections.means(comparison, main=version, basis=basis),
        element("h3", f"Against {against}"),
        sections.differences(comparison, main=version, basis=basis),
        element("h3", "Query by query"),
        sections.by_query(comparison, version, texts, basis=basis),
        element("h3", "All measures"),
        sections.measures(comparison, main=version, basis=basis),
        notes([*found.notes, *comparison.notes]),
    )
    return page(f"{version} against {against}", facts, *body, made=f"Made by Second Look on {at}.")
