"""python -m benchmarks.lists FOLDER ...: what ships, on lists that it was neither trained on nor chosen by.

Each folder is one that `training prepare --lists` or `--best` lays out. All of a list is ranked by BM25 (as given), the
bi-encoder's cosine, late interaction, the shipped re-ranker alone, and the default's mixture; nDCG@10 with its
interval, and the differences that decide. Queries without a relevant passage are left out, as no order of theirs is
better than another. What was scored is kept in OUTPUT and isn't scored again.
"""

import argparse
import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks.shipped import COSINE, WHOLE, kept_runs, mixture
from indexing import atomic, places
from indexing.cli.numbers import whole
from indexing.records import QueryId
from search.served import LATE, SHIPPED
from search.served_settings import OWN_DEFAULT
from training.evaluation.candidates import Candidates, ndcg
from training.evaluation.paired import compare_paired
from training.evaluation.settings import MAIN_MEASURE
from training.evaluation.significance import bootstrap_interval

BM25, DEFAULT = "BM25", "default"
PAIRS = ((DEFAULT, BM25), (DEFAULT, COSINE), (DEFAULT, LATE), (SHIPPED, LATE))
"""The systems that are compared, the second as baseline."""


def main() -> None:
    """Score, measure, print, and write where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", type=Path, nargs="+", metavar="FOLDER", help="folders of lists")
    parser.add_argument("--queries", type=whole(), help="that are measured of each, from all over it (default: all)")
    parser.add_argument("--output", type=Path, default=places.runs() / "lists", help="folder of runs (%(default)s)")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    options = parser.parse_args()
    rows = []
    for folder in options.folders:
        lists = answered(Candidates.read(folder, depth=WHOLE))
        row = measured(lists if options.queries is None else lists.part(options.queries), folder.name, options.output)
        print("\n".join(table(row)), flush=True)
        rows.append(row)
    if options.json is not None:
        machine = f"{platform.machine()}, {os.cpu_count()} cores"
        atomic.write_json(options.json, {"machine": machine, "share": OWN_DEFAULT.rerank_weight, "sets": rows})


def answered(lists: Candidates) -> Candidates:
    """The queries that have a relevant passage somewhere in the collection."""
    kept = tuple(query for query in lists.queries if max(lists.qrels[query.id].values(), default=0) > 0)
    ids = {query.id for query in kept}
    run = {query: ranking for query, ranking in lists.run.items() if query in ids}
    return replace(lists, queries=kept, qrels={query.id: lists.qrels[query.id] for query in kept}, run=run)


def measured(lists: Candidates, name: str, output: Path) -> dict[str, Any]:
    """The figures of one set: its name and size, each system's, and each pair's."""
    runs = kept_runs(output, name, lists, (COSINE, LATE, SHIPPED))
    runs[DEFAULT] = mixture(runs[SHIPPED], runs[COSINE], share=OWN_DEFAULT.rerank_weight)
    values = {system: ndcg(run, lists) for system, run in {BM25: lists.run, **runs}.items()}
    return {
        "name": name,
        "queries": len(lists.queries),
        "passages": sum(map(len, lists.run.values())),
        MAIN_MEASURE: {system: _figures(by_query) for system, by_query in values.items()},
        "differences": [_difference(values, first, second) for first, second in PAIRS],
    }


def _difference(values: Mapping[str, Mapping[QueryId, float]], system: str, baseline: str) -> dict[str, Any]:
    found = compare_paired(values[system], values[baseline], measure=MAIN_MEASURE)
    return {"system": system, "baseline": baseline, "difference": found.difference, "interval": list(found.interval)}


def _figures(by_query: Mapping[QueryId, float]) -> dict[str, Any]:
    return {"mean": fmean(by_query.values()), "interval": list(bootstrap_interval(list(by_query.values())))}


def table(row: Mapping[str, Any]) -> Iterator[str]:
    """Of one set, in Markdown."""
    yield f"\n**{row['name']}** ({row['queries']:,} queries, {row['passages']:,} passages)\n"
    yield f"| | {MAIN_MEASURE} | 95 % |"
    yield "|---|---:|---|"
    for system, figures in row[MAIN_MEASURE].items():
        yield f"| {system} | {figures['mean']:.4f} | {_span(figures['interval'])} |"
    yield ""
    for pair in row["differences"]:
        yield f"{pair['system']} against {pair['baseline']}: {pair['difference']:+.4f} [{_span(pair['interval'])}]"


def _span(interval: Sequence[float]) -> str:
    low, high = interval
    return f"{low:.3f} to {high:.3f}"


if __name__ == "__main__":
    main()
