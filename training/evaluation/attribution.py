"""Splits each query's loss into what the first stage failed to retrieve and what the re-ranker ranked too low.

The best order of the candidates (the oracle) is the ceiling of any re-ranker. The gap between the oracle and the ideal
list of what the collection holds was never retrieved; the gap between the oracle and the re-ranking was retrieved but
ranked too low. What judged passages that the collection lacks would add is nobody's fault, and is counted apart.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from indexing.errors import SettingsError
from indexing.records import PassageId, Qrels, QueryId, Ranking, Run
from training.evaluation.measures import in_order, measure_run
from training.evaluation.significance import TIE


@dataclass(frozen=True)
class Loss:
    """One query's losses: their sum and the value equal the value of an ideal list of all judged passages."""

    value: float
    to_recall: float
    """The value of an ideal list of the passages that the collection holds, minus the oracle's."""
    to_ranking: float
    """The oracle's value minus the re-ranking's."""
    to_absent: float = 0.0
    """What passages that the collection lacks would add to the ideal list."""

    @property
    def bound(self) -> str:
        """The largest loss, `recall`, `ranking` or `absent`; `both` if the first two are equal, `none` without any."""
        if max(self.to_recall, self.to_ranking, self.to_absent) <= TIE:
            return "none"
        if self.to_absent > max(self.to_recall, self.to_ranking) + TIE:
            return "absent"
        if abs(self.to_recall - self.to_ranking) <= TIE:
            return "both"
        return "recall" if self.to_recall > self.to_ranking else "ranking"


@dataclass(frozen=True)
class Attribution:
    """The losses of one re-ranking, by one measure."""

    measure: str
    losses: Mapping[QueryId, Loss]

    @property
    def means(self) -> dict[str, float]:
        """Means over the judged queries: the value, the ceiling (the oracle), the ideal, and the losses."""
        value, to_recall, to_ranking, to_absent = (
            sum(getattr(loss, name) for loss in self.losses.values()) / len(self.losses)
            for name in ("value", "to_recall", "to_ranking", "to_absent")
        )
        return {
            "value": value,
            "ceiling": value + to_ranking,
            "ideal": value + to_ranking + to_recall + to_absent,
            "lost to recall": to_recall,
            "lost to ranking": to_ranking,
            "lost to absent passages": to_absent,
        }

    @property
    def bounds(self) -> dict[str, int]:
        """The number of queries by what they lose most to: see `Loss.bound`."""
        counts = Counter(loss.bound for loss in self.losses.values())
        return {name: counts[name] for name in ("recall", "ranking", "both", "absent", "none")}


def oracle(candidates: Run, qrels: Qrels) -> dict[QueryId, Ranking]:
    """Each judged query's candidates by grade, ties in the first stage's order; an unjudged passage has grade 0."""
    return {
        query: in_order(
            sorted(candidates[query].passage_ids, key=lambda passage_id: -max(grades.get(passage_id, 0), 0))
        )
        for query, grades in qrels.items()
        if query in candidates
    }


def ideal(qrels: Qrels) -> dict[QueryId, Ranking]:
    """All judged passages of each query by grade: the best possible list."""
    return {
        query: in_order(sorted(grades, key=lambda passage_id: (-grades[passage_id], passage_id)))
        for query, grades in qrels.items()
    }


def attribute(
    reranked: Run,
    candidates: Run,
    qrels: Qrels,
    *,
    measure: str,
    minimum_grade: int,
    absent: Mapping[QueryId, Collection[PassageId]] = MappingProxyType({}),
) -> Attribution:
    """Attribute the losses of `reranked`, a re-ranking of `candidates`, to recall and to ranking.

    `absent` are the judged passages that the collection lacks, by query: what they would add isn't lost to recall.

    Raises:
        SettingsError: it ranks a passage that isn't a candidate, or the measure doesn't rate a ranking's quality.
    """
    if measure.startswith("Judged"):
        raise SettingsError(
            f"{measure} measures how much is judged, not how good a ranking is; choose nDCG@10 or another."
        )
    _check_candidates(reranked, candidates, qrels)
    best_lists = ideal(qrels)
    held = {query: _without(ranking, absent.get(query, ())) for query, ranking in best_lists.items()}
    value, ceiling, best_held, best = (
        measure_run(run, qrels, minimum_grade=minimum_grade, names=[measure]).per_query[measure]
        for run in (reranked, oracle(candidates, qrels), held, best_lists)
    )
    return Attribution(
        measure,
        {
            query: Loss(
                value[query],
                best_held[query] - ceiling[query],
                ceiling[query] - value[query],
                best[query] - best_held[query],
            )
            for query in qrels
        },
    )


def _check_candidates(reranked: Run, candidates: Run, qrels: Qrels) -> None:
    for query in reranked.keys() & qrels.keys():
        retrieved = set(candidates[query].passage_ids) if query in candidates else set()
        if foreign := [passage for passage in reranked[query].passage_ids if passage not in retrieved]:
            raise SettingsError(
                f"Query {query} ranks passage {foreign[0]!r}, which isn't among its {len(retrieved)} candidates; "
                "attribute losses with the candidates that were re-ranked."
            )


def _without(ranking: Ranking, absent: Collection[PassageId]) -> Ranking:
    return in_order([passage_id for passage_id in ranking.passage_ids if passage_id not in absent])


def missed_positives(candidates: Run, qrels: Qrels, *, minimum_grade: int) -> dict[QueryId, tuple[PassageId, ...]]:
    """Passages of at least that grade that a query's candidates lack, sorted by id; only for queries that lack any."""
    missed = {}
    for query, grades in qrels.items():
        retrieved = set(candidates[query].passage_ids) if query in candidates else set()
        relevant = {passage_id for passage_id, grade in grades.items() if grade >= minimum_grade}
        if relevant - retrieved:
            missed[query] = tuple(sorted(relevant - retrieved))
    return missed


def append(candidates: Run, missed: Mapping[QueryId, tuple[PassageId, ...]]) -> dict[QueryId, Ranking]:
    """The candidates in their order, followed by the passages that they missed."""
    return {
        query: in_order((*(candidates[query].passage_ids if query in candidates else ()), *missed.get(query, ())))
        for query in {**candidates, **missed}
    }
