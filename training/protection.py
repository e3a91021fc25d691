"""Queries that must never be trained on, known by their ids and by their texts."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from indexing.judged import JudgedSet, read_queries
from indexing.records import Query, QueryId
from training.gather import normalised, protected_queries, sample_protection


@dataclass(frozen=True)
class Protection:
    """Ids and normalised texts of queries; a query is protected that has one of either."""

    ids: frozenset[QueryId] = frozenset()
    texts: frozenset[str] = frozenset()

    @classmethod
    def read(cls, files: Iterable[Path], collections: Iterable[Path] = ()) -> "Protection":
        """Every query of these files, and of these collections the texts of every judged split but train.

        Collections number their queries each in its own way, so that another one's ids say nothing.
        """
        paths = list(files)
        texts = protected_queries(paths).union(*map(sample_protection, collections))
        return cls(frozenset(query.id for path in paths for query in read_queries(path)), texts)

    def covers(self, query: Query) -> bool:
        """Whether a query must not be trained on."""
        return query.id in self.ids or normalised(query.text) in self.texts

    def without(self, judged: JudgedSet) -> JudgedSet:
        """A judged set without its protected queries."""
        left = tuple(query for query in judged.queries if not self.covers(query))
        return JudgedSet(judged.split, left, {query.id: judged.qrels[query.id] for query in left})
