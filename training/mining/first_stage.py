"""The first stage that search uses, and its scores of judged passages that it doesn't return."""

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np

from indexing.errors import SettingsError
from indexing.judged.fit import is_own_passage, leave_out
from indexing.records import PassageId, Query, Ranking
from search.fuse import fuse
from search.pipeline import RetrieveAndRerank
from search.retrieve import FirstStage
from search.settings import QUERY_CHARACTERS, Fusion, PipelineSettings
from training.mining.negatives import QueryCandidates

SERVED_DEPTH = PipelineSettings().depth  # the fused ranking depends on it
MOST_TEXTS = 4_096  # that are remembered: the rules look at a candidate's text several times, and query after query
EMPTY_RANKING = Ranking((), np.empty(0, dtype=np.float32))


class ServedFirstStage:
    """A pipeline's BM25, dense or fused ranking of each query. Passage texts stay on disk."""

    def __init__(self, pipeline: RetrieveAndRerank, *, fusion: Fusion, depth: int = SERVED_DEPTH) -> None:
        """Rank by `fusion`; each ranking, and their fusion, is cut to `depth` passages.

        Raises:
            SettingsError: the fusion is unknown, or the depth is above 10,000.
        """
        self.index = pipeline.index
        self.fusion = fusion
        self.depth = depth
        self._pipeline = pipeline
        passages = pipeline.index.passages
        self._texts = lru_cache(maxsize=MOST_TEXTS)(lambda passage_id: passages.by_id(passage_id).content)
        self._settings = PipelineSettings(depth=depth, rerank_depth=0, fusion=fusion)

    def text(self, passage_id: PassageId) -> str:
        """A passage's text as the re-ranker reads it. Raises KeyError for an unknown id."""
        text: str = self._texts(passage_id)
        return text

    def rank(self, query: str) -> Ranking:
        """A query's ranking. Raises SettingsError if the query is too long to search."""
        return self._pipeline.retrieve(query, self._settings).fused

    def candidates(self, query: Query, judged: Mapping[PassageId, int]) -> QueryCandidates:
        """A query's ranking, and the scores of its relevant passages; both empty if the index holds none of them.

        A query that is itself one of the passages, by id and by text, is neither a candidate nor relevant.

        The score of a passage that wasn't returned depends on the fusion. `bm25`: its BM25 score. `dense`: the cosine
        of its stored vector (the scores of a compressed FAISS index only approximate it). `rrf` and `weighted`: the
        fused score over the lists that hold it, or 0 if none does, in which case it is marked as unscored.

        Raises:
            SettingsError: the query is too long to search.
        """
        passages = self.index.passages
        own = PassageId(query.id) if is_own_passage(query, passages) else None
        judged = {passage_id: grade for passage_id, grade in judged.items() if passage_id != own}
        relevant = sorted(passage_id for passage_id, grade in judged.items() if grade > 0 and passage_id in passages)
        if not relevant:
            return QueryCandidates(query.id, EMPTY_RANKING, judged, {})
        if len(query.text) > QUERY_CHARACTERS:
            raise SettingsError(
                f"Query {query.id} has {len(query.text):,} characters, more than the {QUERY_CHARACTERS:,} that search "
                "allows; shorten it or remove it from the queries."
            )
        first = self._pipeline.retrieve(query.text, self._settings)
        ranking = first.fused if own is None else leave_out(first.fused, own)
        known = dict(zip(ranking.passage_ids, ranking.scores.tolist(), strict=True))
        missing = [passage_id for passage_id in relevant if passage_id not in known]
        computed = self._scores(first, missing) if missing else {}
        unscored = frozenset(missing) - computed.keys()
        known |= computed | dict.fromkeys(unscored, 0.0)
        scores = {passage_id: known[passage_id] for passage_id in relevant}
        return QueryCandidates(query.id, ranking, judged, scores, unscored)

    def _scores(self, first: FirstStage, passage_ids: Sequence[PassageId]) -> dict[PassageId, float]:
        """The scores of these passages, without those that have none."""
        if self.fusion in ("rrf", "weighted"):
            fused = fuse(first.rankings, self._settings, depth=sum(map(len, first.rankings.values())))
            scored = dict(zip(fused.passage_ids, fused.scores.tolist(), strict=True))
            return {passage_id: scored[passage_id] for passage_id in passage_ids if passage_id in scored}
        rows = np.array([self.index.passages.row_of(passage_id) for passage_id in passage_ids], dtype=np.int64)
        if first.vector is None:
            scores = self.index.bm25.scores(self.index.analyzer.query_terms(first.query))[rows]  # (missing,) float32
        else:
            scores = self.index.vectors.rows(rows) @ first.vector  # (missing,) float32
        return dict(zip(passage_ids, scores.tolist(), strict=True))
