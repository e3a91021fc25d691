"""Writes an evaluation's data so that others can check it: values by query, TREC runs and qrels.

The scores of a run decrease strictly, so that trec_eval, which breaks ties by id, measures the same order as here.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from indexing import atomic
from indexing.errors import CorpusError
from indexing.records import Qrels, Query, Run
from indexing.whitespace import squeeze
from search.trec import write_run
from training.evaluation.attribution import Attribution
from training.evaluation.comparison import Comparison
from training.evaluation.significance import outcome


def write_queries(
    path: Path, comparison: Comparison, queries: Sequence[Query], *, attribution: Attribution | None = None
) -> None:
    """Write a TSV line for each judged query: every system's value, its difference from the baseline, win, loss or tie.

    With an attribution, also the re-ranking's losses to recall and to ranking, and which of them is larger.
    """
    texts = {query.id: squeeze(query.text) for query in queries}
    header = ["query", "text", *comparison.systems]
    for name in comparison.versus:
        header += [f"{name} less {comparison.baseline}", f"{name}: outcome"]
    if attribution is not None:
        header += ["lost to recall", "lost to ranking", "bound by"]
    lines = ["\t".join(squeeze(field) for field in header)]
    differences = {name: comparison.differences(name) for name in comparison.versus}
    for query in next(iter(comparison.systems.values())).per_query[comparison.measure]:
        values = (measured.per_query[comparison.measure][query] for measured in comparison.systems.values())
        fields = [query, texts.get(query, ""), *(f"{value:.6f}" for value in values)]
        for by_query in differences.values():
            fields += [f"{by_query[query]:+.6f}", outcome(by_query[query])]
        if attribution is not None:
            loss = attribution.losses[query]
            fields += [f"{loss.to_recall:.6f}", f"{loss.to_ranking:.6f}", loss.bound]
        lines.append("\t".join(fields))
    atomic.write_text(path, "\n".join(lines) + "\n")


def write_qrels(path: Path, qrels: Qrels) -> None:
    """Write judgments in TREC's four fields. Raises CorpusError if an id contains white space."""
    for name in (name for query, grades in qrels.items() for name in (query, *grades)):
        if name.split() != [name]:
            raise CorpusError(
                f"Id {name!r} contains white space, which TREC qrels can't hold; rename it in the corpus."
            )
    lines = [
        f"{query} 0 {passage_id} {grade}" for query, grades in qrels.items() for passage_id, grade in grades.items()
    ]
    atomic.write_text(path, "\n".join(lines) + "\n")


def write_trec(folder: Path, runs: Mapping[str, Run], qrels: Qrels) -> dict[str, Path]:
    """Write qrels.txt and each run as runs/NAME.trec, judged queries only; return the runs' paths by system."""
    write_qrels(folder / "qrels.txt", qrels)
    paths = {}
    for (system, run), name in zip(runs.items(), file_names(runs), strict=True):
        paths[system] = folder / "runs" / f"{name}.trec"
        judged = {query: ranking for query, ranking in run.items() if query in qrels}
        write_run(paths[system], judged, tag=name)
    return paths


def trec_eval_command(*, minimum_grade: int) -> str:
    """The command that yields the same figures in the folder of `write_trec`; MRR@10 needs `-M 10 -m recip_rank`."""
    return f"trec_eval -c -l {minimum_grade} -m ndcg_cut.10 -m map -m recall.10,100,1000 qrels.txt runs/NAME.trec"


def file_names(systems: Iterable[str]) -> list[str]:
    """A plain, lower-case name for each system; a number is added if two would be the same."""
    names: list[str] = []
    for system in systems:
        name = plain = re.sub(r"[^a-z0-9]+", "-", system.lower().replace("'", "")).strip("-") or "run"
        number = 2
        while name in names:
            name, number = f"{plain}-{number}", number + 1
        names.append(name)
    return names
