"""Answers a query from an index: retrieve, fuse, re-rank, explain.

    from search import open_pipeline

    pipeline = open_pipeline("sample")
    trace = pipeline.search("why do cats purr")
    for rank, passage_id, score in trace.final.top(5):
        print(rank, f"{score:.2f}", trace.passages[passage_id].content)

Names are looked up when they are first used, so that `import search` loads no model library.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

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


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(import_module(_MODULES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
