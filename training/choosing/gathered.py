"""What pipelines need of one query, both retrievers' lists, cosines and logits: it is ranked from these alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from indexing.errors import SettingsError
from indexing.records import Floats, PassageId, Query, Ranking
from search.answers import plain_ranking, ranking_json
from search.fuse import fuse
from search.rerank.stopping import Course, Score, rerank_in_blocks, rerank_in_order
from search.served import LATE
from search.settings import FirstScore
from training.choosing.contenders import Contender


@dataclass(frozen=True, kw_only=True)
class GatheredQuery:
    """What was computed for one query."""

    query: Query
    bm25: Ranking
    """BM25's list with one k1 and b, to the largest depth."""
    dense: Mapping[int, Ranking]
    """The dense list by its depth: an approximate search to 100 isn't the beginning of one to 200."""
    cosines: Mapping[PassageId, float]
    """Of every passage of the lists and runs."""
    runs: Mapping[str, Ranking] = field(default_factory=dict)
    """Other systems' lists of this query, by the system's name; only passages that the index holds."""
    logits: Mapping[str, Mapping[PassageId, float]] = field(default_factory=dict)
    """By re-ranker, of the passages that it read."""

    def with_logits(self, reranker: str, logits: Mapping[PassageId, float]) -> "GatheredQuery":
        """The same query, after a re-ranker read some more of its passages."""
        read = {**self.logits.get(reranker, {}), **logits}
        return replace(self, logits={**self.logits, reranker: read})

    def fused(self, contender: Contender) -> Ranking:
        """The list whose head a pipeline re-ranks: the fused first stage, or another system's."""
        if contender.run:
            return self.runs.get(contender.run, EMPTY)
        settings = contender.settings
        rankings = {}
        if settings.fusion != "dense":
            rankings["bm25"] = self.bm25.top(settings.depth)
        if settings.fusion != "bm25":
            rankings["dense"] = self._dense(settings.depth)
        return fuse(rankings, settings, depth=settings.depth)

    def candidates(self, contender: Contender) -> Ranking:
        """The passages that a pipeline's re-ranker reads, with their scores in the order that cuts the depth."""
        fused = self.fused(contender)
        return self.scored(fused, contender.settings.rerank_order).top(contender.settings.rerank_depth)

    def scored(self, ranking: Ranking, by: FirstScore) -> Ranking:
        """A list's passages by another score: their cosine or late interaction; `fused` leaves it as it is."""
        if by == "fused":
            return ranking
        scores = self.cosines if by == "dense" else self._logits_of(LATE)
        return Ranking.sort((passage_id, _score(scores, passage_id, by)) for passage_id in ranking.passage_ids)

    def rank(self, contender: Contender) -> Ranking:
        """The list that a pipeline answers with: what `RetrieveAndRerank.search` gives as `final`.

        Raises:
            SettingsError: something that this pipeline needs wasn't gathered.
        """
        settings, fused = contender.settings, self.fused(contender)
        if not contender.reranks or not len(fused):
            return fused
        other, score = self._mixture(contender)
        candidates = self.candidates(contender).passage_ids
        return rerank_in_order(candidates, other, score, weight=settings.rerank_weight, stop=settings.rerank_stop)

    def courses(self, contender: Contender) -> list[Course]:
        """What a pipeline that re-ranks would answer with after each block. Raises SettingsError as `rank` does."""
        other, score = self._mixture(contender)
        candidates = self.candidates(contender).passage_ids
        return list(rerank_in_blocks(candidates, other, score, weight=contender.settings.rerank_weight))

    def _mixture(self, contender: Contender) -> tuple[Ranking, Score]:
        """What the re-ranker's score is mixed with, and that score."""
        settings, logits = contender.settings, self._logits_of(contender.reranker)
        chosen = set(self.candidates(contender).passage_ids)
        other = Ranking.sort((name, score) for _, name, score in self.fused(contender) if name in chosen)
        if settings.rerank_weight < 1:
            other = self.scored(other, settings.rerank_mix)

        def score(passage_ids: Sequence[PassageId]) -> Floats:
            values = [_score(logits, name, contender.reranker) for name in passage_ids]
            return np.array(values, dtype=np.float32)

        return other, score

    def as_json(self) -> dict[str, Any]:
        """The first stage as plain JSON, of which `read_gathered` makes the same; logits are kept by themselves."""
        return {
            "bm25": ranking_json(self.bm25),
            "dense": {str(depth): ranking_json(ranking) for depth, ranking in self.dense.items()},
            "cosines": dict(self.cosines),
            "runs": {name: ranking_json(ranking) for name, ranking in self.runs.items()},
        }

    def _dense(self, depth: int) -> Ranking:
        if depth not in self.dense:
            raise SettingsError(f"The dense list of depth {depth} wasn't gathered; there: {sorted(self.dense)}.")
        return self.dense[depth]

    def _logits_of(self, reranker: str) -> Mapping[PassageId, float]:
        if reranker not in self.logits:
            raise SettingsError(f"Nothing was read by re-ranker {reranker} for query {self.query.id}.")
        return self.logits[reranker]


EMPTY = Ranking((), np.empty(0, dtype=np.float32))


def read_gathered(query: Query, value: Mapping[str, Any]) -> GatheredQuery:
    """The first stage of which `GatheredQuery.as_json` made this."""
    return GatheredQuery(
        query=query,
        bm25=plain_ranking(value["bm25"]),
        dense={int(depth): plain_ranking(ranking) for depth, ranking in value["dense"].items()},
        cosines={PassageId(name): float(cosine) for name, cosine in value["cosines"].items()},
        runs={name: plain_ranking(ranking) for name, ranking in value["runs"].items()},
    )


def _score(scores: Mapping[PassageId, float], passage_id: PassageId, by: str) -> float:
    try:
        return scores[passage_id]
    except KeyError:
        raise SettingsError(f"Passage {passage_id} has no score by {by}; it wasn't read.") from None
