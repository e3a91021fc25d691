"""Runs every stage over judged queries: BM25, dense, fused, late interaction, re-ranked and interpolated.

The re-ranker's share of each mixture is chosen on dev queries only.
"""

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from indexing.dense.encoder import BiEncoder
from indexing.judged.fit import leave_out
from indexing.progress import Progress, relabel, silent
from indexing.records import PassageId, Qrels, Query, QueryId, Ranking, Run
from search.answers import plain_ranking, ranking_json
from search.fuse import interpolate, reciprocal_rank_fusion
from search.journal import Journal
from search.pipeline import Pipeline
from search.rerank.late_interaction import late_logits
from search.rerank.reranker import Reranker
from search.rerank.stopping import rerank_in_order, scores_of
from search.rerank.token_cache import TokenCache
from search.settings import PipelineSettings
from training.evaluation.candidates import Candidates, deeper
from training.evaluation.measures import measure_run
from training.evaluation.settings import MAIN_MEASURE

WEIGHTS = tuple(round(step * 0.05, 2) for step in range(21))
RERANKED = "re-ranked"
LATE_ROW = "late interaction"
MIXED: Mapping[str, str] = {
    "fused": "re-ranked + first stage",
    "dense": "re-ranked + dense",
    "late": "re-ranked + late interaction",
}
"""What the re-ranker's score is mixed with, and the row of each mixture."""
STAGES = ("BM25", "dense", "fused (RRF)", LATE_ROW, RERANKED, *MIXED.values())
"""Rows of a report; those of late interaction are absent where the bi-encoder gives no vectors of tokens."""
DEFAULT_ROW = "default"
"""The row of what the pipeline answers with unless asked otherwise, where that isn't the re-ranker alone."""
LATE_CACHE_BYTES = 1 << 30  # of token vectors, for passages that are candidates of several queries
FIRST_STAGE = frozenset({"bm25", "dense", "fused"})
"""The lists that hold what was retrieved; the others hold what was re-ranked."""
Shares = Mapping[str, float]
"""By mixture, one of MIXED, the re-ranker's share of it."""


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
    late: Run | None = None
    """The re-ranked passages by late interaction of the bi-encoder's token vectors; None if it gives none."""
    rerank_seconds: float | None = None
    """Time of tokenizing and re-ranking, over all queries."""

    @property
    def seconds_per_pair(self) -> float | None:
        """Re-ranking time of a pair of query and passage; None if it wasn't measured."""
        pairs = sum(map(len, self.reranked.values()))
        return self.rerank_seconds / pairs if pairs and self.rerank_seconds else None

    @property
    def mixes(self) -> tuple[str, ...]:
        """Those of MIXED that can be made."""
        return tuple(mix for mix in MIXED if mix != "late" or self.late is not None)

    def by_name(self, *, shares: Shares | None) -> dict[str, Run]:
        """The run of each of STAGES that there is; without shares, none of the mixtures."""
        late = {} if self.late is None else {LATE_ROW: self.late}
        runs = {"BM25": self.bm25, "dense": self.dense, "fused (RRF)": self.fused, **late, RERANKED: self.reranked}
        if shares is not None:
            runs |= {MIXED[mix]: self.mixed(mix, shares[mix]) for mix in self.mixes}
        return runs

    def mixed(self, mix: str, weight: float) -> Run:
        """The re-ranker's score times `weight`, plus the score of `mix`, one of `mixes`, times the rest."""
        others = {"fused": self.fused, "dense": self.cosine, "late": self.late or {}}[mix]
        return {query: interpolate(ranking, others[query], weight=weight) for query, ranking in self.reranked.items()}

    def answers(self, settings: PipelineSettings, *, whole: bool) -> Run | None:
        """What a pipeline with these settings answers with; None if these stages can't tell.

        Its re-ranker reads as many passages as the settings say, or with `whole` all of a list that was given.
        """
        usual = PipelineSettings()
        other_first_stage = any(
            getattr(settings, name) != getattr(usual, name) for name in ("fusion", "rrf_k", "k1", "b")
        )
        if other_first_stage or (self.late is None and "late" in settings.needs):
            return None
        by = {"fused": self.fused, "dense": self.cosine, "late": self.late or {}}
        run = {}
        for query, ranking in self.reranked.items():
            order = by[settings.rerank_order][query].among(set(ranking.passage_ids))
            candidates = order.passage_ids if whole else order.top(settings.rerank_depth).passage_ids
            other = by[settings.rerank_mix][query].among(set(candidates))
            weight, stop = settings.rerank_weight, settings.rerank_stop
            run[query] = rerank_in_order(candidates, other, scores_of(ranking), weight=weight, stop=stop)
        return run


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

    stored = pipeline.index.token_vectors is not None
    late = None if stored else _late_interaction(pipeline.encoder)

    def search(query: Query) -> QueryLists:
        deep = deeper(depth, own=query.id in own)
        settings = PipelineSettings(depth=deep, rerank_depth=deep, rerank_mix="dense")
        if stored:  # as all candidates are re-ranked, it changes nothing that this order chooses them
            settings = replace(settings, rerank_order="late")
        trace = pipeline.search(query.text, settings)
        rankings = {
            "bm25": trace.first_stage["bm25"],
            "dense": trace.first_stage["dense"],
            "fused": trace.fused,
            "reranked": trace.final,  # the share of a mixture is chosen later
            "cosine": Ranking.sort(trace.cosines.items()),
        }
        if stored:
            rankings["late"] = Ranking.sort(trace.late.items())
        elif late is not None:
            texts = {passage_id: trace.passages[passage_id].content for passage_id in trace.fused.passage_ids}
            rankings["late"] = late(query.text, texts)
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
    late = _late_interaction(encoder)

    def score(query: Query) -> QueryLists:
        ranking = candidates.run[query.id]
        cosines = vectors[[row[passage_id] for passage_id in ranking.passage_ids]] @ encoder.encode_query(query.text)
        dense = Ranking.sort(zip(ranking.passage_ids, cosines.tolist(), strict=True))
        fused = reciprocal_rank_fusion({"bm25": ranking, "dense": dense}, depth=len(ranking))
        texts = {passage_id: candidates.texts[passage_id] for passage_id in ranking.passage_ids}
        scores = reranker.score(query.text, list(texts.values()))
        reranked = Ranking.sort(zip(ranking.passage_ids, scores.logits.tolist(), strict=True))
        rankings = {"bm25": ranking, "dense": dense, "fused": fused, "reranked": reranked, "cosine": dense}
        if late is not None:
            rankings["late"] = late(query.text, texts)
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


def _late_interaction(encoder: BiEncoder) -> Callable[[str, Mapping[PassageId, str]], Ranking] | None:
    """Ranks a query's passages, by their texts; each passage is encoded once. None without vectors of tokens."""
    if not encoder.has_tokens:
        return None
    cache = TokenCache(encoder, most_bytes=LATE_CACHE_BYTES)

    def rank(query: str, texts: Mapping[PassageId, str]) -> Ranking:
        tokens = cache.vectors(list(texts.values()))
        logits = late_logits(encoder.encode_query_tokens([query])[0], [tokens[text] for text in texts.values()])
        return Ranking.sort(zip(texts, logits.tolist(), strict=True))

    return rank


def _stages(found: Mapping[QueryId, QueryLists]) -> Stages:
    def run(name: str) -> Run:
        return {query: lists.rankings[name] for query, lists in found.items()}

    return Stages(
        bm25=run("bm25"),
        dense=run("dense"),
        fused=run("fused"),
        reranked=run("reranked"),
        cosine=run("cosine"),
        late=run("late") if all("late" in lists.rankings for lists in found.values()) else None,
        rerank_seconds=sum(lists.seconds for lists in found.values()),
    )


def choose_shares(stages: Stages, qrels: Qrels) -> dict[str, float]:
    """The re-ranker's share with the best nDCG@10 on dev queries, for each mixture; the largest if several tie."""
    name = MAIN_MEASURE
    shares: dict[str, float] = {}
    for mix in stages.mixes:
        values = {
            weight: measure_run(stages.mixed(mix, weight), qrels, minimum_grade=1, names=[name]).means[name]
            for weight in WEIGHTS
        }
        shares[mix] = max(values, key=lambda weight: (round(values[weight], 6), weight))
    return shares
