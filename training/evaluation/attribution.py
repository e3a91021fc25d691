"""Tells what re-ranking loses to the first stage's recall from what it loses by ranking, query by query.

The best order of the candidates (the oracle) is the ceiling of any re-ranker: what is missing above it was never
retrieved, what is missing below it was retrieved and ranked too low.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from indexing.errors import SettingsError
from indexing.records import PassageId, Qrels, QueryId, Ranking, Run
from training.evaluation.measures import in_order, measure_run
from training.evaluation.significance import TIE


@dataclass(frozen=True)
class Loss:
    """One query: value + to_ranking + to_recall is what an ideal list of all judged passages has."""

    value: float
    to_recall: float
    """The ideal less the oracle."""
    to_ranking: float
    """The oracle less the value."""

    @property
    def bound(self) -> str:
        """What costs more, `recall` or `ranking`; `both` if they cost the same, `none` if there is no loss."""
        if max(self.to_recall, self.to_ranking) <= TIE:
            return "none"
        if abs(self.to_recall - self.to_ranking) <= TIE:
            return "both"
        return "recall" if self.to_recall > self.to_ranking else "ranking"


@dataclass(frozen=True)
class Attribution:
    """The losses of one re-ranking of some candidates, by one measure."""

    measure: str
    losses: Mapping[QueryId, Loss]

    @property
    def means(self) -> dict[str, float]:
        """Means of value, ceiling (the oracle), ideal, and of both losses, over the judged queries."""
        found = self.losses.values()
        value, to_recall, to_ranking = (
            sum(getattr(loss, name) for loss in found) / len(self.losses)
            for name in ("value", "to_recall", "to_ranking")
        )
        return {
            "value": value,
            "ceiling": value + to_ranking,
            "ideal": value + to_ranking + to_recall,
            "lost to recall": to_recall,
            "lost to ranking": to_ranking,
        }

    @property
    def bounds(self) -> dict[str, int]:
        """How many queries lose more to recall, more to ranking, to both the same, and nothing."""
        counted = Counter(loss.bound for loss in self.losses.values())
        return {name: counted[name] for name in ("recall", "ranking", "both", "none")}


def oracle(candidates: Run, qrels: Qrels) -> dict[QueryId, Ranking]:
    """The candidates of each judged query by grade, ties in the first stage's order; not judged counts as 0."""
    return {
        query: in_order(sorted(candidates[query].passage_ids, key=lambda name: -max(grades.get(name, 0), 0)))
        for query, grades in qrels.items()
        if query in candidates
    }


def ideal(qrels: Qrels) -> dict[QueryId, Ranking]:
    """All judged passages of each query by grade, the best list that there can be."""
    return {query: in_order(sorted(grades, key=lambda name: (-grades[name], name))) for query, grades in qrels.items()}


def attribute(reranked: Run, candidates: Run, qrels: Qrels, *, measure: str, minimum_grade: int) -> Attribution:
    """What `reranked`, a re-ranking of `candidates`, lost to what.

    Raises:
        SettingsError: it ranks a passage that is no candidate, or the measure doesn't tell how good a ranking is.
    """
    if measure.startswith("Judged"):
        raise SettingsError(f"{measure} says how much is judged, not how good a ranking is; choose nDCG@10 or another.")
    for query in reranked.keys() & qrels.keys():
        given = set(candidates[query].passage_ids) if query in candidates else set()
        if strange := [name for name in reranked[query].passage_ids if name not in given]:
            raise SettingsError(
                f"Query {query} ranks passage {strange[0]!r}, which isn't among its {len(given)} candidates; "
                "attribute losses with the candidates that were re-ranked."
            )
    value, ceiling, best = (
        measure_run(run, qrels, minimum_grade=minimum_grade, names=[measure]).per_query[measure]
        for run in (reranked, oracle(candidates, qrels), ideal(qrels))
    )
    return Attribution(
        measure,
        {query: Loss(value[query], best[query] - ceiling[query], ceiling[query] - value[query]) for query in qrels},
    )


def missed_positives(candidates: Run, qrels: Qrels, *, minimum_grade: int) -> dict[QueryId, tuple[PassageId, ...]]:
    """Passages of at least that grade which the candidates of a query lack, by id; only queries that miss some."""
    missed = {}
    for query, grades in qrels.items():
        held = set(candidates[query].passage_ids) if query in candidates else set()
        lacking = sorted(name for name, grade in grades.items() if grade >= minimum_grade and name not in held)
        if lacking:
            missed[query] = tuple(lacking)
    return missed


def append(candidates: Run, missed: Mapping[QueryId, tuple[PassageId, ...]]) -> dict[QueryId, Ranking]:
    """The candidates in their order, with what they missed behind them."""
    return {
        query: in_order((*(candidates[query].passage_ids if query in candidates else ()), *missed.get(query, ())))
        for query in {**candidates, **missed}
    }
