"""The first stage as it is served, and its score of judged passages that it doesn't return."""

from collections.abc import Mapping, Sequence

import numpy as np

from indexing.bm25 import analyzer
from indexing.errors import SettingsError
from indexing.records import PassageId, Query, Ranking
from search.fuse import fuse
from search.pipeline import RetrieveAndRerank
from search.retrieve import FirstStage
from search.settings import QUERY_CHARACTERS, Fusion, PipelineSettings
from training.mining.negatives import Retrieved

NOTHING = Ranking((), np.empty(0, dtype=np.float32))


class ServedFirstStage:
    """A pipeline's BM25, dense or fused ranking of each query. Passages stay on disk."""

    def __init__(self, pipeline: RetrieveAndRerank, *, source: Fusion, depth: int) -> None:
        """`source` is one of search.settings.FUSIONS, `depth` the passages kept of each ranking and of their fusion.

        Raises:
            SettingsError: the source is unknown, or the depth above 10,000.
        """
        self._pipeline = pipeline
        self._settings = PipelineSettings(depth=depth, rerank_depth=0, fusion=source)

    def text(self, passage_id: PassageId) -> str:
        """What the re-ranker reads of a passage. Raises KeyError."""
        return self._pipeline.index.passages.by_id(passage_id).content

    def retrieve(self, query: Query, judged: Mapping[PassageId, int]) -> Retrieved:
        """A query's ranking, and the scores of its relevant passages; nothing where the index holds none of them.

        A passage that wasn't returned gets, by source: `bm25` its BM25 score; `dense` the cosine of its stored
        vector, of which a compressed FAISS index's own scores are approximations; `rrf` and `weighted` what fusion
        makes of the lists that hold it, so 0 where none does, and it is told as unscored.

        Raises:
            SettingsError: the query is too long to be searched.
        """
        passages = self._pipeline.index.passages
        relevant = sorted(passage_id for passage_id, grade in judged.items() if grade > 0 and passage_id in passages)
        if not relevant:
            return Retrieved(query.id, NOTHING, judged, {})
        if len(query.text) > QUERY_CHARACTERS:
            raise SettingsError(
                f"Query {query.id} has {len(query.text):,} characters, at most {QUERY_CHARACTERS:,} are searched; "
                "shorten it or take it out of the queries."
            )
        first = self._pipeline.retrieve(query.text, self._settings)
        known = dict(zip(first.fused.passage_ids, first.fused.scores.tolist(), strict=True))
        missing = [passage_id for passage_id in relevant if passage_id not in known]
        found = self._scores(first, missing) if missing else {}
        unscored = frozenset(missing) - found.keys()
        known |= found | dict.fromkeys(unscored, 0.0)
        scores = {passage_id: known[passage_id] for passage_id in relevant}
        return Retrieved(query.id, first.fused, judged, scores, unscored)

    def _scores(self, first: FirstStage, passage_ids: Sequence[PassageId]) -> dict[PassageId, float]:
        """Of these passages, those whose score can be told."""
        index, source = self._pipeline.index, self._settings.fusion
        if source in ("rrf", "weighted"):
            everything = fuse(first.rankings, self._settings, depth=sum(map(len, first.rankings.values())))
            found = dict(zip(everything.passage_ids, everything.scores.tolist(), strict=True))
            return {passage_id: found[passage_id] for passage_id in passage_ids if passage_id in found}
        rows = np.array([index.passages.row_of(passage_id) for passage_id in passage_ids], dtype=np.int64)
        if first.vector is None:
            scores = index.bm25.scores(analyzer.terms(first.query))[rows]  # (missing,) float32
        else:
            scores = index.vectors.rows(rows) @ first.vector  # (missing,) float32
        return dict(zip(passage_ids, scores.tolist(), strict=True))
