"""What re-ranking only the first d candidates is worth and costs, for many d from one scoring of the deepest list."""

from collections.abc import Sequence
from typing import NamedTuple

from indexing.errors import SettingsError
from indexing.records import Qrels, QueryId, Ranking, Run
from training.evaluation.attribution import oracle
from training.evaluation.measures import RunMeasures, in_order, measure_run

DEPTHS = (0, 10, 20, 50, 100, 200, 500, 1000)


class Depth(NamedTuple):
    """Re-ranking to one depth."""

    depth: int
    """Candidates re-ranked of each query; 0 is the first stage as it is."""
    measured: RunMeasures
    ceiling: RunMeasures
    """The best order of these candidates, the rest behind them."""
    seconds: float | None
    """Re-ranking time of a query, computed from the time of a pair; None where that isn't known."""


def rerank_first(candidates: Ranking, reranked: Ranking, *, depth: int) -> Ranking:
    """The first `depth` candidates in the re-ranker's order, the rest behind them as they were.

    Raises:
        SettingsError: the re-ranker scored not all of the first.
    """
    first, rest = candidates.passage_ids[:depth], candidates.passage_ids[depth:]
    chosen = set(first)
    best = [name for name in reranked.passage_ids if name in chosen]
    if len(best) < len(first):
        raise SettingsError(
            f"Of the first {len(first)} candidates only {len(best)} were re-ranked; re-rank all of them to sweep."
        )
    return in_order((*best, *rest))


def depth_sweep(
    candidates: Run,
    reranked: Run,
    qrels: Qrels,
    *,
    minimum_grade: int,
    seconds_per_pair: float | None = None,
    depths: Sequence[int] = DEPTHS,
) -> list[Depth]:
    """One row for each depth that some judged query reaches; `reranked` holds all of every query's candidates."""
    judged = {query: candidates[query] for query in qrels if query in candidates}
    deepest = max((len(ranking) for ranking in judged.values()), default=0)
    rows = []
    for depth in sorted({depth for depth in depths if 0 <= depth < deepest} | {deepest}):
        run = {query: rerank_first(given, _of(reranked, query), depth=depth) for query, given in judged.items()}
        best = {
            query: rerank_first(judged[query], ranking, depth=depth)
            for query, ranking in oracle({query: given.top(depth) for query, given in judged.items()}, qrels).items()
        }
        pairs = sum(min(depth, len(given)) for given in judged.values()) / len(judged) if judged else 0.0
        rows.append(
            Depth(
                depth,
                measure_run(run, qrels, minimum_grade=minimum_grade),
                measure_run(best, qrels, minimum_grade=minimum_grade),
                None if seconds_per_pair is None else pairs * seconds_per_pair,
            )
        )
    return rows


def _of(reranked: Run, query: QueryId) -> Ranking:
    return reranked[query] if query in reranked else in_order(())
