"""What a search did: the ranking of every stage, with passages, scores and times."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from indexing.records import Passage, PassageId, Ranking


@dataclass(frozen=True)
class SearchTrace:
    """Everything that happened to one query."""

    query: str
    first_stage: Mapping[str, Ranking]
    """By retriever: `bm25`, `dense`."""
    fused: Ranking
    """The ranking before re-ranking."""
    reranked: Ranking | None
    """The ranking after it, of the best `rerank_depth`; None without a re-ranker."""
    logits: Mapping[PassageId, float]
    """The re-ranker's raw score of each passage it saw."""
    cosines: Mapping[PassageId, float]
    """The bi-encoder's of the same passages; empty unless the settings mix it with the re-ranker's."""
    truncated: frozenset[PassageId]
    """Passages that were cut to fit the re-ranker."""
    seconds: Mapping[str, float]
    """Time of each stage, in the order in which they ran."""
    passages: Mapping[PassageId, Passage] = field(repr=False)
    """The passages of the first `depth` places of the fused ranking."""

    @property
    def final(self) -> Ranking:
        """What a user is shown: the re-ranked list where there is one."""
        return self.fused if self.reranked is None else self.reranked

    def moves(self) -> dict[PassageId, int]:
        """Places each re-ranked passage rose (above 0) or fell (below 0)."""
        before = self.fused.ranks()
        return {passage_id: before[passage_id] - rank for passage_id, rank in self.final.ranks().items()}


def as_json(trace: SearchTrace, *, index: str, reranker: str | None, top: int) -> dict[str, Any]:
    """A trace as plain data; every list best first, ranks from 1, scores of each stage's own scale."""
    before = trace.fused.ranks()
    stages = {name: _places(ranking, top) for name, ranking in trace.first_stage.items()}
    reranked = []
    for rank, passage_id, score in trace.final.top(top) if trace.reranked is not None else ():
        passage = trace.passages[passage_id]
        reranked.append(
            {
                "rank": rank,
                "id": passage_id,
                "score": score,
                "logit": trace.logits[passage_id],
                "first_stage_rank": before[passage_id],
                "moved": before[passage_id] - rank,
                "truncated": passage_id in trace.truncated,
                "title": passage.title,
                "text": passage.text,
            }
        )
    return {
        "query": trace.query,
        "index": index,
        "reranker": reranker,
        "first_stage": stages,
        "fused": _places(trace.fused, top),
        "reranked": reranked if trace.reranked is not None else None,
        "seconds": dict(trace.seconds),
    }


def _places(ranking: Ranking, top: int) -> list[dict[str, Any]]:
    return [{"rank": rank, "id": passage_id, "score": score} for rank, passage_id, score in ranking.top(top)]
