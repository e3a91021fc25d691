"""python -m benchmarks.decide: how long deciding takes, by step, and how it grows with queries and pipelines.

Decides on the judged dev queries of an index without a time limit and without what an earlier decision read: on a
quarter, half and all of them with the whole grid of pipelines, and on all of them with a small grid.
"""

import argparse
import os
import platform
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

from indexing import atomic
from indexing.index import open_corpus_folder
from indexing.judged.sets import JudgedSet, judged_sets
from indexing.progress import Bars, Progress, silent
from search.served import LATE
from training.choosing.contenders import FirstStageChoice, Grid
from training.choosing.decide import decide
from training.choosing.opened import DecideRequest, OpenIndex, open_for

SMALL = Grid(first_stages=(FirstStageChoice(),), depths=(10, 20, 50), orders=("fused", "dense"), shares=(0.3, 0.5, 0.7))
NO_LIMIT = 24 * 3600.0  # seconds
STEPS = {"k1 and b": "search", "first stage": "search", "evaluate": "evaluate", "milliseconds": "time"}
"""By the beginning of a phase, the step that it belongs to; any other phase reads."""
READ = "read"


class StepTimes:
    """Adds up the seconds of each step, by the reports of progress that end them."""

    def __init__(self, shown: Progress = silent) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._shown = shown
        self._last = time.perf_counter()

    def __call__(self, phase: str, count: int, total: int) -> None:
        """Take what has passed since the last report, and pass the report on."""
        self._shown(phase, count, total)
        now = time.perf_counter()
        self.seconds[STEPS.get(phase, READ)] += now - self._last
        self._last = now


def main() -> None:
    """Measure, print, and write where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--index", default="sample", help="(%(default)s)")
    parser.add_argument("--queries", type=int, help="at most so many of the dev queries (all)")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    options = parser.parse_args()
    request = DecideRequest(indexes=(options.index,), seconds=NO_LIMIT)
    opened = open_for(request, note=print)
    judged = judged_sets(open_corpus_folder(opened[0].index))["dev"]
    most = min(options.queries or len(judged.queries), len(judged.queries))
    sizes = [(max(most // part, 2), Grid()) for part in (4, 2, 1)]
    rows: list[dict[str, Any]] = []
    for count, grid in [*sizes, (most, SMALL)]:
        rows.append(_measure(opened, request, judged, count, grid))
        print(table(rows[-1:]).splitlines()[-1], file=sys.stderr, flush=True)
    print(table(rows))
    if options.json is not None:
        machine = f"{platform.machine()}, {os.cpu_count()} cores"
        atomic.write_json(options.json, {"machine": machine, "rows": rows})


def _measure(
    opened: list[OpenIndex], request: DecideRequest, judged: JudgedSet, count: int, grid: Grid
) -> dict[str, Any]:
    """One decision on the first so many queries."""
    queries = judged.queries[:count]
    with tempfile.TemporaryDirectory() as folder:
        texts, qrels = Path(folder) / "queries.tsv", Path(folder) / "qrels.txt"
        atomic.write_text(texts, "".join(f"{query.id}\t{query.text}\n" for query in queries))
        grades = [(query.id, *pair) for query in queries for pair in judged.qrels[query.id].items()]
        atomic.write_text(qrels, "".join(f"{query} 0 {passage} {grade}\n" for query, passage, grade in grades))
        with Bars("queries") as bars:
            times, begun = StepTimes(bars), time.perf_counter()
            decide(opened, replace(request, queries=texts, qrels=qrels, grid=grid), progress=times)
            seconds = time.perf_counter() - begun
    tried = replace(grid, rerankers=request.rerankers, late=LATE in opened[0].rerankers)
    return {"queries": count, "pipelines": pipelines(tried), "seconds": seconds, **times.seconds}


def pipelines(grid: Grid) -> int:
    """How many pipelines a grid holds."""
    return len(grid.first_stage_only()) + sum(len(grid.variants(base)) for base in grid.bases())


def table(rows: list[dict[str, Any]]) -> str:
    """Markdown: a row for each decision, its seconds by step."""
    steps = ("search", READ, "evaluate", "time")
    lines = ["| queries | pipelines | seconds | search | read | evaluate | milliseconds |", "|" + "---:|" * 7]
    for row in rows:
        parts = " | ".join(f"{row.get(step, 0):.1f}" for step in steps)
        lines.append(f"| {row['queries']:,} | {row['pipelines']:,} | {row['seconds']:.1f} | {parts} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
