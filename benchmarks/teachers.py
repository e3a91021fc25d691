"""python -m benchmarks.teachers TREC: how well each teacher that needs no judgments orders a TREC year's BM25 lists.

A teacher passes on its order, so what it is worth is nDCG@10 of its own ranking. TREC is a folder as `evaluate --trec`
reads it, of a year that may be trained on.
"""

import argparse
import sys
from pathlib import Path

from indexing import atomic
from indexing.records import Ranking, Run
from training.evaluation.candidates import Candidates
from training.evaluation.comparison import compare_runs
from training.example import Example
from training.teachers.teacher import open_teacher

TEACHERS = ("first-stage", "late-interaction", "late-interaction+first-stage")
BASELINE = "first-stage"
GRADE = 2  # from which a passage counts as relevant, as TREC DL has it


def main() -> None:
    """Score, measure, print, and write where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("trec", type=Path, help="folder with corpus.jsonl, queries.tsv, qrels.txt and runs/bm25.trec")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    options = parser.parse_args()
    given = Candidates.read(options.trec)
    runs: dict[str, Run] = {"BM25": given.run}
    for name in TEACHERS:
        print(f"{name} ...", file=sys.stderr, flush=True)
        runs[name] = taught_run(given, name)
    found = compare_runs(runs, given.qrels, baseline=BASELINE, minimum_grade=GRADE)
    print(f"| | {found.measure} | 95 % interval | against {BASELINE} | 95 % interval |\n|---|---:|---|---:|---|")
    for name, measured in found.systems.items():
        low, high = found.intervals[name]
        versus = found.versus.get(name)
        between = (
            ["", ""] if versus is None else [f"{versus.difference:+.4f}", "{:+.3f} to {:+.3f}".format(*versus.interval)]
        )
        print(
            "| "
            + " | ".join([name, f"{measured.means[found.measure]:.4f}", f"{low:.3f} to {high:.3f}", *between])
            + " |"
        )
    if options.json is not None:
        figures = {
            name: {found.measure: measured.means[found.measure], "interval": found.intervals[name]}
            for name, measured in found.systems.items()
        }
        atomic.write_json(options.json, figures)


def taught_run(given: Candidates, name: str) -> Run:
    """Each list in the order of a teacher's scores."""
    teacher = open_teacher(name)
    lists = [(query, given.run[query.id].passage_ids) for query in given.queries if query.id in given.run]
    examples = [
        Example(name, query.text, tuple(given.texts[passage] for passage in ids), scores=(0.0,) * len(ids))
        for query, ids in lists
    ]
    run = {}
    for (query, ids), example in zip(lists, examples, strict=True):
        (scores,) = teacher.scores([example])
        run[query.id] = Ranking.sort(zip(ids, scores.tolist(), strict=True))
    return run


if __name__ == "__main__":
    main()
