"""Runs every stage over judged queries: BM25, dense, fused, re-ranked and interpolated.

The re-ranker's share of each mixture is chosen on dev queries only.
"""

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from indexing.dense.encoder import BiEncoder
from indexing.judged.fit import leave_out
from indexing.progress import Progress, relabel, silent
from indexing.records import Qrels, Query, QueryId, Ranking, Run
from search.answers import plain_ranking, ranking_json
from search.fuse import interpolate, reciprocal_rank_fusion
from search.journal import Journal
from search.pipeline import Pipeline
from search.rerank.reranker import Reranker
from search.settings import PipelineSettings
from training.evaluation.candidates import Candidates, deeper
from training.evaluation.measures import measure_run
from training.evaluation.settings import MAIN_MEASURE

WEIGHTS = tuple(round(step * 0.05, 2) for step in range(21))
MIXES = ("fused", "dense")
"""What the re-ranker's score is mixed with."""
RERANKED = "re-ranked"
STAGES = ("BM25", "dense", "fused (RRF)", RERANKED, "re-ranked + first stage", "re-ranked + dense")
FIRST_STAGE = frozenset({"bm25", "dense", "fused"})
"""The lists that hold what was retrieved; the others hold what was re-ranked."""
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


class QueryLists(NamedTuple):
    """What each stage returned for one query, by the names of the runs of Stages."""

    rankings: Mapping[str, Ranking]
    seconds: float
    """Time of tokenizing and re-ranking."""

    def without(self, passage_id: str, *, depth: int) -> "QueryLists":
        """The lists without one passage, of the first stage at most `depth` others, and of these what comes later."""
        left = {name: leave_out(ranking, passage_id) for name, ranking in self.rankings.items()}
        left |= {name: left[name].top(depth) for name in FIRST_STAGE}
        candidates = set(left["fused"].passage_ids)
        for name in left.keys() - FIRST_STAGE:
            left[name] = Ranking.sort((key, score) for _, key, score in left[name] if key in candidates)
        return QueryLists(left, self.seconds)

    def as_json(self) -> dict[str, Any]:
        """Plain JSON, of which `read_lists` makes the same lists."""
        return {name: ranking_json(ranking) for name, ranking in self.rankings.items()} | {"seconds": self.seconds}


def read_lists(value: Mapping[str, Any]) -> QueryLists:
    """The lists of which `QueryLists.as_json` made this."""
    rankings = {name: plain_ranking(ranking) for name, ranking in value.items() if name != "seconds"}
    return QueryLists(rankings, float(value["seconds"]))


def retrieve_stages(
    pipeline: Pipeline,
    queries: Sequence[Query],
    *,
    depth: int,
    own: Container[QueryId] = (),
    journal: Journal | None = None,
    progress: Progress = silent,
) -> Stages:
    """Search for each query in the pipeline's own index, re-ranking all `depth` candidates.

    A query among `own` is a passage of the index itself, which is left out of its lists. What is found is kept in the
    journal, and queries that are there already aren't searched.
    """

    def search(query: Query) -> QueryLists:
        deep = deeper(depth, own=query.id in own)
        trace = pipeline.search(query.text, PipelineSettings(depth=deep, rerank_depth=deep, rerank_mix="dense"))
        rankings = {
            "bm25": trace.first_stage["bm25"],
            "dense": trace.first_stage["dense"],
            "fused": trace.fused,
            "reranked": trace.final,  # the share of a mixture is chosen later
            "cosine": Ranking.sort(trace.cosines.items()),
        }
        lists = QueryLists(rankings, sum(trace.seconds.get(name, 0.0) for name in ("tokenize", "re-rank")))
        return lists.without(query.id, depth=depth) if query.id in own else lists

    return _stages(_each(queries, search, journal, relabel(progress, "search")))


def rerank_candidates(
    candidates: Candidates,
    encoder: BiEncoder,
    reranker: Reranker,
    *,
    journal: Journal | None = None,
    progress: Progress = silent,
) -> Stages:
    """Score each query's list with the bi-encoder and with the re-ranker; the journal as in `retrieve_stages`.

    A query without a list is in no run: it counts 0.
    """
    listed = [query for query in candidates.queries if query.id in candidates.run]
    kept = set() if journal is None else set(journal.kept)
    left = (candidates.run[query.id].passage_ids for query in listed if query.id not in kept)
    ids = sorted({passage_id for passage_ids in left for passage_id in passage_ids})
    vectors = encoder.encode_passages([candidates.texts[passage_id] for passage_id in ids])
    row = {passage_id: place for place, passage_id in enumerate(ids)}

    def score(query: Query) -> QueryLists:
        ranking = candidates.run[query.id]
        cosines = vectors[[row[passage_id] for passage_id in ranking.passage_ids]] @ encoder.encode_query(query.text)
        dense = Ranking.sort(zip(ranking.passage_ids, cosines.tolist(), strict=True))
        fused = reciprocal_rank_fusion({"bm25": ranking, "dense": dense}, depth=len(ranking))
        scores = reranker.score(query.text, [candidates.texts[passage_id] for passage_id in ranking.passage_ids])
        reranked = Ranking.sort(zip(ranking.passage_ids, scores.logits.tolist(), strict=True))
        rankings = {"bm25": ranking, "dense": dense, "fused": fused, "reranked": reranked, "cosine": dense}
        return QueryLists(rankings, sum(scores.seconds.values()))

    return _stages(_each(listed, score, journal, relabel(progress, "re-rank")))


def _each(
    queries: Sequence[Query], find: Callable[[Query], QueryLists], journal: Journal | None, progress: Progress
) -> dict[QueryId, QueryLists]:
    """The lists of each query, in their order: those of the journal, and else what `find` gives, which is kept."""
    kept = {} if journal is None else {key: read_lists(value) for key, value in journal.items()}
    found = {}
    for query in queries:
        if query.id in kept:
            found[query.id] = kept[query.id]
        else:
            found[query.id] = find(query)
            if journal is not None:
                journal.add(query.id, found[query.id].as_json())
        progress("", 1, len(queries))
    return found


def _stages(found: Mapping[QueryId, QueryLists]) -> Stages:
    bm25, dense, fused, reranked, cosine = (
        {query: lists.rankings[name] for query, lists in found.items()}
        for name in ("bm25", "dense", "fused", "reranked", "cosine")
    )
    seconds = sum(lists.seconds for lists in found.values())
    return Stages(bm25=bm25, dense=dense, fused=fused, reranked=reranked, cosine=cosine, rerank_seconds=seconds)


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
