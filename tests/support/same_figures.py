"""What trec_eval's own code and ir-measures give for a run and qrels that they read from the files themselves."""

from collections.abc import Iterator
from pathlib import Path

import ir_measures
import pytrec_eval
from ir_measures import AP, RR, R, nDCG

from indexing.judged.qrels import read_qrels
from search.trec import read_run
from training.evaluation.measures import measure_run

TREC_EVAL = {"nDCG@10": "ndcg_cut_10", "MAP": "map", "R@100": "recall_100", "R@1000": "recall_1000"}
ASKED = {"ndcg_cut.10", "map", "recall.100,1000"}


def differences(run: Path, qrels: Path, *, minimum_grade: int) -> list[str]:
    """Every figure of a query that isn't the same to the last digit as ours; empty if all three agree."""
    ours = measure_run(read_run(run), read_qrels(qrels), minimum_grade=minimum_grade).per_query
    theirs = [*_ir_measures(run, qrels, minimum_grade), *_trec_eval(run, qrels, minimum_grade)]
    assert len({query for _, query, _ in theirs}) == len(ours["MAP"])
    return [
        f"{name} of {query}: {value!r}, and ours {ours[name][query]!r}"  # type: ignore[index]  # ids are strings
        for name, query, value in theirs
        if ours[name][query] != value  # type: ignore[index]  # ids are strings
    ]


def _ir_measures(run: Path, qrels: Path, grade: int) -> Iterator[tuple[str, str, float]]:
    measures = {
        "nDCG@10": nDCG @ 10,
        "MRR@10": RR(rel=grade) @ 10,
        "MAP": AP(rel=grade),
        "R@100": R(rel=grade) @ 100,
        "R@1000": R(rel=grade) @ 1000,
    }
    names = {str(measure): name for name, measure in measures.items()}
    judged = ir_measures.read_trec_qrels(str(qrels))  # type: ignore[no-untyped-call]  # ir-measures has few types
    ranked = ir_measures.read_trec_run(str(run))  # type: ignore[no-untyped-call]  # likewise
    for metric in ir_measures.iter_calc(list(measures.values()), list(judged), list(ranked)):
        yield names[str(metric.measure)], metric.query_id, metric.value


def _trec_eval(run: Path, qrels: Path, grade: int) -> Iterator[tuple[str, str, float]]:
    with qrels.open() as judged, run.open() as ranked:
        evaluator = pytrec_eval.RelevanceEvaluator(pytrec_eval.parse_qrel(judged), ASKED, relevance_level=grade)
        values = evaluator.evaluate(pytrec_eval.parse_run(ranked))
    for query, figures in values.items():
        for name, their_name in TREC_EVAL.items():
            yield name, query, figures[their_name]
