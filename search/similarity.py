"""The three orders of the first stage's passages: fused, by cosine, and by late interaction."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from indexing.index import Index
from indexing.records import PassageId, Ranking
from search.rerank.reranker import Scores
from search.retrieve import FirstStage
from search.settings import FirstScore


class LateScorer(Protocol):
    """Scores passages of an index by late interaction."""

    def __call__(self, first: FirstStage, passage_ids: Sequence[PassageId]) -> Scores:
        """A logit of each passage, in this order."""


class Similarities:
    """One query's passages scored by the bi-encoder when a score is needed, each once."""

    def __init__(self, index: Index, first: FirstStage, late: LateScorer) -> None:
        self.cosines: dict[PassageId, float] = {}
        """The query's cosine with each passage that was asked for."""
        self.late: dict[PassageId, float] = {}
        """The late-interaction logit of each passage that was asked for."""
        self._index = index
        self._first = first
        self._score_late = late
        self._cut: set[PassageId] = set()

    def ranking(self, kind: FirstScore, passage_ids: Sequence[PassageId]) -> Ranking:
        """These passages of the fused ranking, by one of its three scores, best first."""
        if kind == "fused":
            wanted = set(passage_ids)
            return Ranking.sort((name, score) for _, name, score in self._first.fused if name in wanted)
        if kind == "dense":
            self._add_cosines(passage_ids)
            return Ranking.sort((name, self.cosines[name]) for name in passage_ids)
        scores = self.late_scores(passage_ids)
        return Ranking.sort(zip(passage_ids, scores.logits.tolist(), strict=True))

    def late_scores(self, passage_ids: Sequence[PassageId]) -> Scores:
        """Late interaction as a re-ranker's scores. Raises ModelError if the bi-encoder gives no vectors of tokens."""
        new = [name for name in passage_ids if name not in self.late]
        if new:
            scores = self._score_late(self._first, new)
            self.late |= dict(zip(new, scores.logits.tolist(), strict=True))
            self._cut |= {name for name, cut in zip(new, scores.truncated, strict=True) if cut}
        logits = np.array([self.late[name] for name in passage_ids], dtype=np.float32)  # (passages,) float32
        return Scores(logits, tuple(name in self._cut for name in passage_ids))

    def _add_cosines(self, passage_ids: Sequence[PassageId]) -> None:
        """Of every passage, whichever retriever returned it."""
        new = [name for name in passage_ids if name not in self.cosines]
        if new and self._first.vector is not None:
            rows = np.array([self._first.rows[name] for name in new])
            cosines = self._index.vectors.rows(rows) @ self._first.vector  # (passages,) float32
            self.cosines |= dict(zip(new, cosines.tolist(), strict=True))
