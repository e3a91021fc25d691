"""Measures how closely an exported re-ranker ranks as the original: Kendall's tau-b per query and nDCG@10's change."""

from dataclasses import dataclass
from statistics import fmean

import numpy as np

from indexing.errors import ModelError, SettingsError
from indexing.progress import Progress, relabel, silent
from indexing.records import Ranking, Run
from search.overlap import kendall_tau
from search.rerank.reranker import Reranker
from training.evaluation.candidates import Candidates, ndcg, reranked

LEAST_TAU = 0.98  # mean over the queries; a few neighbors that swap places among 20 passages don't go below it
MOST_NDCG = 0.005  # difference of the means, in either direction


@dataclass(frozen=True)
class Parity:
    """An exported re-ranker against the original, on the same lists."""

    queries: int
    pairs: int
    tau: float
    """Kendall's tau-b of the two sets of logits, mean over the queries; 1 is the same order."""
    least_tau: float
    """Tau of the query on which they agree least."""
    ndcg: float
    """nDCG@10 of the original."""
    ndcg_difference: float
    """nDCG@10 of the exported one minus the original's."""
    largest_difference: float
    """Largest difference between the two logits of one pair."""

    def sentence(self) -> str:
        """All figures in words."""
        return (
            f"Kendall's tau {self.tau:.4f} (least {self.least_tau:.4f}), nDCG@10 {self.ndcg:.4f} "
            f"{self.ndcg_difference:+.4f}, logits at most {self.largest_difference:.2g} apart, over {self.queries} "
            f"queries and {self.pairs:,} pairs"
        )

    def check(self) -> None:
        """Raise ModelError if the rankings differ by more than LEAST_TAU or MOST_NDCG allow."""
        if self.tau < LEAST_TAU or abs(self.ndcg_difference) > MOST_NDCG:
            raise ModelError(
                f"The exported re-ranker doesn't rank as the original does: {self.sentence()}; at least tau "
                f"{LEAST_TAU} and nDCG@10 within {MOST_NDCG} are required. Nothing was kept; try the other format."
            )


def parity(original: Reranker, exported: Reranker, candidates: Candidates, *, progress: Progress = silent) -> Parity:
    """Score the same lists with both. Raises SettingsError if every list is empty."""
    both_runs = relabel(progress, "compare", total=2 * len(candidates.queries))
    runs = [reranked(candidates, reranker, progress=both_runs) for reranker in (original, exported)]
    queries = [query.id for query in candidates.queries if len(candidates.run[query.id])]
    if not queries:
        raise SettingsError("Parity needs lists of passages, and every one is empty; give another --index.")
    scores = [tuple(_logits(run[query]) for run in runs) for query in queries]
    taus = [kendall_tau(runs[0][query], runs[1][query]) for query in queries]
    known = [1.0 if tau is None else tau for tau in taus]  # one passage alone has one order
    before, after = (_mean_ndcg(run, candidates) for run in runs)
    return Parity(
        queries=len(queries),
        pairs=sum(len(logits) for logits, _ in scores),
        tau=sum(known) / len(known),
        least_tau=min(known),
        ndcg=before,
        ndcg_difference=after - before,
        largest_difference=max(float(np.abs(np.subtract(first, second)).max()) for first, second in scores),
    )


def _logits(ranking: Ranking) -> list[float]:
    """Scores in the order of passage ids, so that two rankings of the same passages line up."""
    return [score for _, score in sorted(zip(ranking.passage_ids, ranking.scores.tolist(), strict=True))]


def _mean_ndcg(run: Run, candidates: Candidates) -> float:
    return fmean(ndcg(run, candidates).values())
