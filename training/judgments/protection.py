"""Queries that must never be trained on, identified by their ids and by their texts."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from indexing.corpus.same_text import text_key
from indexing.judged.queries import normalize_query, read_queries
from indexing.judged.sets import JudgedSet, judged_sets
from indexing.records import Query, QueryId
from training.example import PROTECTED, Example, OnSkip


@dataclass(frozen=True)
class Protection:
    """Ids and texts of queries; a query is protected if its id is among them, or if its text says the same as one.

    Texts are compared by `text_key`, so that neither case nor white space, punctuation, invisible characters, the form
    of composed ones or a second encoding lets a query slip in.
    """

    ids: frozenset[QueryId] = frozenset()
    texts: frozenset[str] = frozenset()
    """Normalized by `normalize_query`, as the fingerprint takes them."""
    own: Mapping[Path, frozenset[QueryId]] = field(default_factory=dict)
    """By collection folder, ids that protect only the queries of that collection: see `within`."""
    keys: frozenset[str] = field(default=frozenset(), compare=False)
    """Of all texts, as they were written."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "keys", self.keys | set(map(text_key, self.texts)))

    @classmethod
    def read(cls, files: Iterable[Path], collections: Iterable[Path] = ()) -> "Protection":
        """Protect every query of these files, and every judged split except train of these collections.

        Ids from a file protect queries everywhere. Each collection numbers its own queries, so the ids of one mean
        nothing in another.
        """
        named = [query for path in files for query in read_queries(path)]
        judged = {folder.resolve(): _held_out_queries(folder) for folder in collections}
        every = [query.text for queries in (named, *judged.values()) for query in queries]
        return cls(
            frozenset(query.id for query in named),
            frozenset(map(normalize_query, every)),
            {folder: frozenset(query.id for query in queries) for folder, queries in judged.items()},
            frozenset(map(text_key, every)),
        )

    def within(self, collection: Path) -> "Protection":
        """The protection for a collection's own queries, which includes the ids of its held-out splits."""
        return replace(self, ids=self.ids | self.own.get(collection.resolve(), frozenset()))

    def covers(self, query: Query) -> bool:
        """Whether a query must not be trained on."""
        return query.id in self.ids or text_key(query.text) in self.keys

    def examples(self, examples: Iterable[Example], *, on_skip: OnSkip) -> Iterator[Example]:
        """The examples whose queries aren't protected by id or by text; `on_skip` gets a reason for each other one."""
        for example in examples:
            if self.covers(Query(example.query_id or QueryId(""), example.query)):
                on_skip(PROTECTED)
            else:
                yield example

    def without(self, judged: JudgedSet) -> JudgedSet:
        """A judged set without its protected queries."""
        left = tuple(query for query in judged.queries if not self.covers(query))
        return JudgedSet(judged.split, left, {query.id: judged.qrels[query.id] for query in left})

    def fingerprint(self) -> str:
        """16 hexadecimal digits that change with the ids and texts, but not with the collections' locations."""
        own = sorted(sorted(ids) for ids in self.own.values())
        values = json.dumps([sorted(self.ids), sorted(self.texts), own])
        return hashlib.sha256(values.encode()).hexdigest()[:16]


def _held_out_queries(folder: Path) -> list[Query]:
    """The queries of every judged split of a collection except train."""
    return [query for split, judged in judged_sets(folder).items() if split != "train" for query in judged.queries]
