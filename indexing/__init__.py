"""Turns a corpus into one immutable, checksummed index: passages, BM25, vectors, FAISS.

    from pathlib import Path

    from indexing import Corpus, build, open_index

    build(Corpus(Path("my-passages.tsv")), name="mine")  # id TAB text; corpus.jsonl, Parquet and .txt too
    index = open_index("mine")
    print(index.manifest.passages, index.passages[0].content)

Names are looked up when they are first used, so that `import indexing` loads no model library.
"""

from typing import TYPE_CHECKING

from indexing.lazy import lazy_names

if TYPE_CHECKING:
    from indexing.bm25.settings import Bm25Settings
    from indexing.building.build import build
    from indexing.building.change import add_passages, delete_passages
    from indexing.building.estimate import estimate
    from indexing.building.figures import Estimate
    from indexing.building.settings import BuildSettings
    from indexing.catalogue import IndexSummary, index_names, summaries
    from indexing.corpus.corpus import Corpus
    from indexing.corpus.fields import Fields
    from indexing.dense.encoder import BiEncoder
    from indexing.errors import SecondLookError
    from indexing.index import Index, open_index
    from indexing.judged.qrels import read_qrels
    from indexing.judged.queries import read_queries
    from indexing.judged.sets import JudgedSet, judged_sets
    from indexing.manifest import Manifest
    from indexing.records import Candidate, Passage, PassageId, Qrels, Query, QueryId, Ranking, Run

_MODULES = {
    "BiEncoder": "indexing.dense.encoder",
    "Bm25Settings": "indexing.bm25.settings",
    "BuildSettings": "indexing.building.settings",
    "Candidate": "indexing.records",
    "Corpus": "indexing.corpus.corpus",
    "Estimate": "indexing.building.figures",
    "Fields": "indexing.corpus.fields",
    "Index": "indexing.index",
    "IndexSummary": "indexing.catalogue",
    "JudgedSet": "indexing.judged.sets",
    "Manifest": "indexing.manifest",
    "Passage": "indexing.records",
    "PassageId": "indexing.records",
    "Qrels": "indexing.records",
    "Query": "indexing.records",
    "QueryId": "indexing.records",
    "Ranking": "indexing.records",
    "Run": "indexing.records",
    "SecondLookError": "indexing.errors",
    "add_passages": "indexing.building.change",
    "build": "indexing.building.build",
    "delete_passages": "indexing.building.change",
    "estimate": "indexing.building.estimate",
    "index_names": "indexing.catalogue",
    "judged_sets": "indexing.judged.sets",
    "open_index": "indexing.index",
    "read_qrels": "indexing.judged.qrels",
    "read_queries": "indexing.judged.queries",
    "summaries": "indexing.catalogue",
}

__all__ = [
    "BiEncoder",
    "Bm25Settings",
    "BuildSettings",
    "Candidate",
    "Corpus",
    "Estimate",
    "Fields",
    "Index",
    "IndexSummary",
    "JudgedSet",
    "Manifest",
    "Passage",
    "PassageId",
    "Qrels",
    "Query",
    "QueryId",
    "Ranking",
    "Run",
    "SecondLookError",
    "add_passages",
    "build",
    "delete_passages",
    "estimate",
    "index_names",
    "judged_sets",
    "open_index",
    "read_qrels",
    "read_queries",
    "summaries",
]


__getattr__ = lazy_names(__name__, _MODULES)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
