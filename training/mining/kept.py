"""Keeps each query's mined negatives beside the output until all are there, so that a stopped mining goes on."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from indexing.index import Index
from indexing.judged.sets import JudgedSet
from indexing.provenance import package_version
from indexing.records import Candidate, PassageId, QueryId
from search.answers import queries_fingerprint
from search.journal import Journal
from training.mining.negatives import MinedQuery, Positive
from training.mining.settings import MiningOptions, MiningSettings

PARTIAL = ".partial"


def journal_path(output: Path) -> Path:
    """The file beside a folder of mined negatives that holds them until it is written."""
    return output.with_name(output.name + PARTIAL)


def mining_identity(
    index: Index, judged: JudgedSet, settings: MiningSettings, options: MiningOptions, *, reranker: str
) -> dict[str, Any]:
    """All that determines the negatives of each query, as plain JSON; `reranker` is the re-ranker's fingerprint."""
    qrels = [[query.id, sorted(judged.qrels[query.id].items())] for query in judged.queries]
    return {
        "index": index.manifest.name,
        "build": index.manifest.build,
        "queries": queries_fingerprint(judged.queries),
        "judgments": hashlib.sha256(json.dumps(qrels).encode()).hexdigest()[:16],
        "fusion": options.fusion,
        "re-ranker": reranker,
        "program": package_version(),
        **asdict(settings),
    }


def mined_json(mined: MinedQuery) -> dict[str, Any]:
    """A mined query as plain JSON, of which `mined_query` makes the same one."""
    values = asdict(mined)
    return {**values, "positives": list(map(list, mined.positives)), "negatives": list(map(list, mined.negatives))}


def mined_query(values: dict[str, Any]) -> MinedQuery:
    """The mined query of which `mined_json` made this."""
    positives = tuple(Positive(PassageId(key), *rest) for key, *rest in values["positives"])
    negatives = tuple(Candidate(rank, PassageId(key), score) for rank, key, score in values["negatives"])
    return MinedQuery(
        **{**values, "query_id": QueryId(values["query_id"]), "positives": positives, "negatives": negatives}
    )


def kept_queries(journal: Journal) -> Iterator[MinedQuery]:
    """Every mined query of a journal, in order."""
    return (mined_query(value) for _, value in journal.items())
