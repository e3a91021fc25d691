"""Answers a query from an index: retrieve, fuse, re-rank, explain.

    from search import open_pipeline

    pipeline = open_pipeline("sample")
    trace = pipeline.search("why do cats purr")
    for rank, passage_id, score in trace.final.top(5):
        print(rank, f"{score:.2f}", trace.passages[passage_id].content)

Names are looked up when they are first used, so that `import search` loads no model library.
"""

from typing import TYPE_CHECKING

from indexing.lazy import lazy_names

if TYPE_CHECKING:
    from search.load import open_pipeline, open_reranker
    from search.pipeline import RetrieveAndRerank
    from search.rerank.cross_encoder import CrossEncoderReranker
    from search.rerank.reranker import Reranker, Scores, StoredTokens
    from search.retrieve import FirstStage
    from search.settings import PipelineSettings
    from search.trace import PipelineVersions, SearchTrace
    from search.trec import read_run, write_run

_MODULES = {
    "CrossEncoderReranker": "search.rerank.cross_encoder",
    "FirstStage": "search.retrieve",
    "PipelineSettings": "search.settings",
    "PipelineVersions": "search.trace",
    "Reranker": "search.rerank.reranker",
    "RetrieveAndRerank": "search.pipeline",
    "Scores": "search.rerank.reranker",
    "SearchTrace": "search.trace",
    "StoredTokens": "search.rerank.reranker",
    "open_pipeline": "search.load",
    "open_reranker": "search.load",
    "read_run": "search.trec",
    "write_run": "search.trec",
}

__all__ = [
    "CrossEncoderReranker",
    "FirstStage",
    "PipelineSettings",
    "PipelineVersions",
    "Reranker",
    "RetrieveAndRerank",
    "Scores",
    "SearchTrace",
    "StoredTokens",
    "open_pipeline",
    "open_reranker",
    "read_run",
    "write_run",
]


__getattr__ = lazy_names(__name__, _MODULES)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
