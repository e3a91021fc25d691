"""Measure a TREC run and compare it with another, with intervals: of any system, no index is needed.

A run has one line for each passage, `query Q0 passage rank score tag`, qrels `query 0 passage grade`. The example makes
runs and judgments of ten queries; give the paths of yours to `read_run` and `read_qrels`.
"""

import tempfile
from pathlib import Path

from indexing import read_qrels
from search import read_run
from training import compare_runs, measure_run

PASSAGES = ("p1", "p2", "p3", "p4", "p5")
QUERIES = [f"q{number}" for number in range(1, 11)]


def write_files(folder: Path) -> tuple[Path, Path, Path]:
    """Judgments in which p1 is the best answer and p2 a partial one; an old run, and a new one that is often better."""
    qrels, old, new = folder / "qrels.txt", folder / "old.trec", folder / "new.trec"
    qrels.write_text("".join(f"{query} 0 p1 2\n{query} 0 p2 1\n" for query in QUERIES), encoding="utf-8")
    for path, tag in ((old, "old"), (new, "new")):
        lines = []
        for number, query in enumerate(QUERIES):
            shift = 3 if tag == "old" else number % 2  # places by which the best answers fall
            order = PASSAGES[-shift:] + PASSAGES[:-shift] if shift else PASSAGES
            lines += [f"{query} Q0 {passage} {rank} {1 / rank:.4f} {tag}\n" for rank, passage in enumerate(order, 1)]
        path.write_text("".join(lines), encoding="utf-8")
    return qrels, old, new


with tempfile.TemporaryDirectory() as work:
    qrels_path, old_path, new_path = write_files(Path(work))
    qrels, old, new = read_qrels(qrels_path), read_run(old_path), read_run(new_path)

measured = measure_run(new, qrels, minimum_grade=2)
for name, mean in measured.means.items():
    print(f"{name:<10} {mean:.4f}")

comparison = compare_runs({"old": old, "new": new}, qrels, baseline="old", minimum_grade=2)
for note in comparison.notes:  # queries that a run lacks, queries that nobody judged
    print(note)
interval = comparison.intervals["new"]
print(f"nDCG@10 of new, 95 %: {interval.low:.4f} to {interval.high:.4f}")
print(comparison.versus["new"].paired.sentence("new", "old"))
