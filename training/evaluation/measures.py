"""Measures a run with ir-measures: every judged query's value by each of the field's measures, and the means.

A judged query missing from the run counts 0. If scores tie, the ranking's own order is measured.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import ir_measures
import numpy as np
from ir_measures import AP, RR, Judged, R, nDCG

from indexing.errors import SettingsError
from indexing.judged.fit import check_answers
from indexing.judged.qrels import default_minimum_grade
from indexing.records import PassageId, Qrels, QueryId, Ranking, Run
from training.evaluation.settings import MAIN_MEASURE, MEASURES

RECALL_CUTOFFS = {"R@10": 10, "R@100": 100, "R@1000": 1000}


@dataclass(frozen=True)
class RunMeasures:
    """The measured values of one run."""

    minimum_grade: int
    """Least grade that the binary measures (MRR, MAP and recall) count as relevant."""
    per_query: Mapping[str, Mapping[QueryId, float]]
    """By measure, the value of each judged query."""

    @property
    def means(self) -> dict[str, float]:
        """By measure, the mean over all judged queries."""
        return {name: fmean(values.values()) for name, values in self.per_query.items()}


def measure_run(
    run: Run, qrels: Qrels, *, minimum_grade: int | None = None, names: Sequence[str] = MEASURES
) -> RunMeasures:
    """Measure every query of `qrels` by the named measures.

    `minimum_grade` is the least grade that MRR, MAP and recall count as relevant; None for what `relevant_grade` says.

    Raises:
        SettingsError: nothing is judged, the run has only other queries, the minimum grade is below 1, or a name isn't
            in MEASURES.
    """
    minimum_grade = relevant_grade(qrels, minimum_grade)
    measures = _by_name(names, minimum_grade)
    if not qrels:
        raise SettingsError("There is no judged query to take a mean over; give queries and their qrels.")
    if run and not run.keys() & qrels.keys():
        check_answers("The run", run, qrels)
    scored = {
        query: dict(zip(ranking.passage_ids, in_order(ranking.passage_ids).scores.tolist(), strict=True))
        for query, ranking in run.items()
        if len(ranking) and query in qrels
    }
    judged = {query: dict(grades) for query, grades in qrels.items()}
    values: dict[str, dict[QueryId, float]] = {name: dict.fromkeys(judged, 0.0) for name in names}
    own_names = {str(measure): name for name, measure in measures.items()}
    for metric in ir_measures.iter_calc(list(measures.values()), judged, scored):
        values[own_names[str(metric.measure)]][QueryId(metric.query_id)] = float(metric.value)
    return RunMeasures(minimum_grade, values)


def _by_name(names: Sequence[str], minimum_grade: int) -> dict[str, ir_measures.Measure]:
    _check_above_zero(minimum_grade)
    known = {
        MAIN_MEASURE: nDCG @ 10,
        "MRR@10": RR(rel=minimum_grade) @ 10,
        "MAP": AP(rel=minimum_grade),
        **{name: R(rel=minimum_grade) @ cutoff for name, cutoff in RECALL_CUTOFFS.items()},
        "Judged@10": Judged @ 10,
    }
    for name in names:
        if name not in known:
            raise SettingsError(f"Measure {name!r} is unknown; choose from {', '.join(MEASURES)}.")
    return {name: known[name] for name in names}


def relevant_grade(qrels: Qrels, requested: int | None) -> int:
    """The least grade that counts as relevant: as requested, else 2 if there are grades above 1, else 1."""
    return default_minimum_grade(qrels) if requested is None else requested


def check_minimum_grade(qrels: Qrels, *, minimum_grade: int) -> int:
    """Count the judged queries without a passage of that grade, which have 0 by every binary measure.

    Raises:
        SettingsError: no query has such a passage, or the grade is below 1.
    """
    _check_above_zero(minimum_grade)
    best = [max(grades.values(), default=0) for grades in qrels.values()]
    without = sum(grade < minimum_grade for grade in best)
    if best and without == len(best):
        raise SettingsError(
            f"No judgment has grade {minimum_grade} or more (the highest is {max(best)}), so MRR, MAP and recall "
            f"would all be 0; give a smaller --minimum-grade."
        )
    return without


def _check_above_zero(minimum_grade: int) -> None:
    if minimum_grade < 1:
        raise SettingsError(f"The minimum grade is {minimum_grade}; give 1 or more (grade 0 is not relevant).")


def in_order(passage_ids: Sequence[PassageId]) -> Ranking:
    """A ranking of these passages in this order, with scores that count down to 1."""
    return Ranking(passage_ids, np.arange(len(passage_ids), 0, -1, dtype=np.float32))
