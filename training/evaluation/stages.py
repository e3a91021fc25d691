"""Runs every stage over judged queries: BM25, dense, fused, re-ranked and interpolated.

The re-ranker's share of each mixture is chosen on dev queries only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from indexing.dense.encoder import BiEncoder
from indexing.progress import Progress, silent
from indexing.records import Qrels, Query, QueryId, Ranking, Run
from search.fuse import interpolate, reciprocal_rank_fusion
from search.pipeline import Pipeline
from search.rerank.reranker import Reranker
from search.settings import MIXES, PipelineSettings
from training.evaluation.candidates import Candidates
from training.evaluation.measures import measure_run
from training.evaluation.settings import MAIN_MEASURE

WEIGHTS = tuple(round(step * 0.05, 2) for step in range(21))
RERANKED = "re-ranked"
STAGES = ("BM25", "dense", "fused (RRF)", RERANKED, "re-ranked + first stage", "re-ranked + dense")
Shares = Mapping[str, float]
"""By mixture, one of MIXES, the re-ranker's share of it."""


@dataclass(frozen=True, kw_only=True)
class Stages:
    """What each stage returned for each query."""

    bm25: Run
    dense: Run
    fused: Run
    """The candidates that were re-ranked."""
    reranked: Run
    """By the re-ranker's logits alone."""
    cosine: Run
    """The re-ranked passages by the bi-encoder's cosine, whichever retriever returned them."""
    rerank_seconds: float | None = None
    """Time of tokenizing and re-ranking, over all queries."""

    @property
    def seconds_per_pair(self) -> float | None:
        """Re-ranking time of a pair of query and passage; None if it wasn't measured."""
        pairs = sum(map(len, self.reranked.values()))
        return self.rerank_seconds / pairs if pairs and self.rerank_seconds else None

    def by_name(self, *, shares: Shares | None) -> dict[str, Run]:
        """The run of each of STAGES; without shares, all but the mixtures."""
        runs = [self.bm25, self.dense, self.fused, self.reranked]
        if shares is not None:
            runs += [self.mixed(mix, shares[mix]) for mix in MIXES]
        return dict(zip(STAGES, runs, strict=False))

    def mixed(self, mix: str, weight: float) -> Run:
        """The re-ranker's score times `weight`, plus the score of `mix`, one of MIXES, times the rest."""
        others = self.fused if mix == "fused" else self.cosine
        return {query: interpolate(ranking, others[query], weight=weight) for query, ranking in self.reranked.items()}


def retrieve_stages(pipeline: Pipeline, queries: Sequence[Query], *, depth: int, progress: Progress = silent) -> Stages:
    """Search for each query in the pipeline's own index, re-ranking all `depth` candidates."""
    settings = PipelineSettings(depth=depth, rerank_depth=depth, rerank_mix="dense")  # shares are chosen later
    bm25: dict[QueryId, Ranking] = {}
    dense: dict[QueryId, Ranking] = {}
    fused: dict[QueryId, Ranking] = {}
    reranked: dict[QueryId, Ranking] = {}
    cosine: dict[QueryId, Ranking] = {}
    seconds = 0.0
    for query in queries:
        trace = pipeline.search(query.text, settings)
        bm25[query.id], dense[query.id] = trace.first_stage["bm25"], trace.first_stage["dense"]
        fused[query.id], reranked[query.id] = trace.fused, trace.final
        cosine[query.id] = Ranking.sort(trace.cosines.items())
        seconds += sum(trace.seconds.get(name, 0.0) for name in ("tokenize", "re-rank"))
        progress("search", 1, len(queries))
    return Stages(bm25=bm25, dense=dense, fused=fused, reranked=reranked, cosine=cosine, rerank_seconds=seconds)


def rerank_candidates(
    candidates: Candidates, encoder: BiEncoder, reranker: Reranker, *, progress: Progress = silent
) -> Stages:
    """Score each query's list with the bi-encoder and with the re-ranker."""
    ids = sorted({passage_id for ranking in candidates.run.values() for passage_id in ranking.passage_ids})
    vectors = encoder.encode_passages([candidates.texts[passage_id] for passage_id in ids])
    row = {passage_id: place for place, passage_id in enumerate(ids)}
    dense: dict[QueryId, Ranking] = {}
    fused: dict[QueryId, Ranking] = {}
    reranked: dict[QueryId, Ranking] = {}
    seconds = 0.0
    for query in candidates.queries:
        if query.id not in candidates.run:  # a query without a list counts 0, as in every run
            progress("re-rank", 1, len(candidates.queries))
            continue
        ranking = candidates.run[query.id]
        cosines = vectors[[row[passage_id] for passage_id in ranking.passage_ids]] @ encoder.encode_query(query.text)
        dense[query.id] = Ranking.sort(zip(ranking.passage_ids, cosines.tolist(), strict=True))
        fused[query.id] = reciprocal_rank_fusion({"bm25": ranking, "dense": dense[query.id]}, depth=len(ranking))
        scores = reranker.score(query.text, [candidates.texts[passage_id] for passage_id in ranking.passage_ids])
        reranked[query.id] = Ranking.sort(zip(ranking.passage_ids, scores.logits.tolist(), strict=True))
        seconds += sum(scores.seconds.values())
        progress("re-rank", 1, len(candidates.queries))
    return Stages(
        bm25=candidates.run, dense=dense, fused=fused, reranked=reranked, cosine=dense, rerank_seconds=seconds
    )


def choose_shares(stages: Stages, qrels: Qrels) -> dict[str, float]:
    """The re-ranker's share with the best nDCG@10 on dev queries, for each of MIXES; the largest if several tie."""
    name = MAIN_MEASURE
    shares: dict[str, float] = {}
    for mix in MIXES:
        values = {
            weight: measure_run(stages.mixed(mix, weight), qrels, minimum_grade=1, names=[name]).means[name]
            for weight in WEIGHTS
        }
        shares[mix] = max(values, key=lambda weight: (round(values[weight], 6), weight))
    return shares
