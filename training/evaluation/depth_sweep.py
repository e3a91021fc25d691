"""The worth and cost of re-ranking only the first d candidates, for many d, from one scoring of the longest list."""

from collections.abc import Sequence
from typing import NamedTuple

from indexing.errors import SettingsError
from indexing.records import Qrels, QueryId, Ranking, Run
from training.evaluation.attribution import oracle
from training.evaluation.measures import RunMeasures, in_order, measure_run

DEPTHS = (0, 10, 20, 50, 100, 200, 500, 1000)


class Depth(NamedTuple):
    """The result of re-ranking to one depth."""

    depth: int
    """Candidates re-ranked for each query; 0 is the first stage unchanged."""
    measured: RunMeasures
    ceiling: RunMeasures
    """Measures of the best order of these candidates, followed by the rest."""
    seconds: float | None
    """Re-ranking time per query, computed from the time per pair; None if that isn't known."""


def rerank_first(candidates: Ranking, reranked: Ranking, *, depth: int) -> Ranking:
    """The first `depth` candidates in the re-ranker's order, followed by the rest in their own order.

    Raises:
        SettingsError: the re-ranker didn't score all of the first `depth`.
    """
    first, rest = candidates.passage_ids[:depth], candidates.passage_ids[depth:]
    members = set(first)
    reordered = [passage_id for passage_id in reranked.passage_ids if passage_id in members]
    if len(reordered) < len(first):
        raise SettingsError(
            f"Of the first {len(first)} candidates only {len(reordered)} were re-ranked; re-rank all of them to sweep."
        )
    return in_order((*reordered, *rest))


def depth_sweep(
    candidates: Run,
    reranked: Run,
    qrels: Qrels,
    *,
    minimum_grade: int,
    seconds_per_pair: float | None = None,
    depths: Sequence[int] = DEPTHS,
) -> list[Depth]:
    """One row for each depth that some judged query's list reaches; `reranked` holds all candidates of each query."""
    judged = {query: candidates[query] for query in qrels if query in candidates}
    deepest = max((len(ranking) for ranking in judged.values()), default=0)
    rows = []
    for depth in sorted({depth for depth in depths if 0 <= depth < deepest} | {deepest}):
        run = {query: rerank_first(listed, _ranking(reranked, query), depth=depth) for query, listed in judged.items()}
        best = {
            query: rerank_first(judged[query], ranking, depth=depth)
            for query, ranking in oracle({query: listed.top(depth) for query, listed in judged.items()}, qrels).items()
        }
        pairs = sum(min(depth, len(listed)) for listed in judged.values()) / len(judged) if judged else 0.0
        rows.append(
            Depth(
                depth,
                measure_run(run, qrels, minimum_grade=minimum_grade),
                measure_run(best, qrels, minimum_grade=minimum_grade),
                None if seconds_per_pair is None else pairs * seconds_per_pair,
            )
        )
    return rows


def _ranking(reranked: Run, query: QueryId) -> Ranking:
    return reranked[query] if query in reranked else in_order(())
