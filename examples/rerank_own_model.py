"""Re-rank by a model of your own: any object with a name and a method `score` takes the re-ranker's place.

A cross-encoder needs no class: pass its hub name or folder, as in `open_pipeline("sample", reranker="models/mine")`.
"""

from collections.abc import Sequence

import numpy as np

from search import PipelineSettings, Scores, open_pipeline


class WordShare:
    """Scores a passage by the share of the query's words that it holds. Call your own model here instead."""

    name = "word share"

    def score(self, query: str, passages: Sequence[str]) -> Scores:
        """One number for each passage, in their order; the higher, the more relevant."""
        words = set(query.lower().split())
        shares = [len(words & set(passage.lower().split())) / len(words) for passage in passages]
        return Scores(np.array(shares, dtype=np.float32))


pipeline = open_pipeline("sample", reranker=WordShare())
trace = pipeline.search("how do bees make honey", PipelineSettings(depth=100, rerank_depth=20))
moves = trace.moves()
for rank, passage_id, score in trace.final.top(5):
    print(rank, f"{score:.2f}", f"moved {moves[passage_id]:+d}", trace.passages[passage_id].content)
