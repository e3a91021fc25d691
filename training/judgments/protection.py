"""Queries that must never be trained on, identified by their ids and by their texts."""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from indexing.corpus.same_text import text_key
from indexing.errors import CorpusError, first_line
from indexing.judged.queries import normalize_query, read_queries
from indexing.judged.sets import JudgedSet, judged_sets
from indexing.records import Query, QueryId
from indexing.whitespace import squeeze
from training.example import PROTECTED, Example, OnSkip

HASHED = ".sha256"
SHA_256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Protection:
    """Ids and texts of queries; a query is protected if its id is among them, or if its text says the same as one.

    A query known only by the SHA-256 of its text is compared in lower case with single spaces, with and without final
    punctuation. Texts are compared by `text_key`, so that neither case nor white space, punctuation, invisible
    characters, the form of composed ones or a second encoding lets a query slip in.
    """

    ids: frozenset[QueryId] = frozenset()
    texts: frozenset[str] = frozenset()
    """Normalized by `normalize_query`, as the fingerprint takes them."""
    own: Mapping[Path, frozenset[QueryId]] = field(default_factory=dict)
    """By collection folder, ids that protect only the queries of that collection: see `within`."""
    hashes: frozenset[str] = frozenset()
    """SHA-256, in hexadecimal digits, of texts in lower case with single spaces."""
    keys: frozenset[str] = field(default=frozenset(), compare=False)
    """Of all texts, as they were written."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "keys", self.keys | set(map(text_key, self.texts)))

    @classmethod
    def read(cls, files: Iterable[Path], collections: Iterable[Path] = ()) -> "Protection":
        """Protect every query of these files, and every judged split except train of these collections.

        A file *.sha256 has the SHA-256 of a query's text a line, for queries whose texts aren't to be passed on.

        Ids from a file protect queries everywhere. Each collection numbers its own queries, so the ids of one mean
        nothing in another.
        """
        paths = list(files)
        named = [query for path in paths if path.suffix != HASHED for query in read_queries(path)]
        judged = {folder.resolve(): _held_out_queries(folder) for folder in collections}
        every = [query.text for queries in (named, *judged.values()) for query in queries]
        return cls(
            frozenset(query.id for query in named),
            frozenset(map(normalize_query, every)),
            {folder: frozenset(query.id for query in queries) for folder, queries in judged.items()},
            frozenset(digest for path in paths if path.suffix == HASHED for digest in read_hashes(path)),
            frozenset(map(text_key, every)),
        )

    def within(self, collection: Path) -> "Protection":
        """The protection for a collection's own queries, which includes the ids of its held-out splits."""
        return replace(self, ids=self.ids | self.own.get(collection.resolve(), frozenset()))

    def covers(self, query: Query) -> bool:
        """Whether a query must not be trained on."""
        if query.id in self.ids or text_key(query.text) in self.keys:
            return True
        return bool(self.hashes) and not self.hashes.isdisjoint(_hashes(query.text))

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
        return replace(judged, queries=left, qrels={query.id: judged.qrels[query.id] for query in left})

    def fingerprint(self) -> str:
        """16 hexadecimal digits that change with the ids and texts, but not with the collections' locations."""
        own = sorted(sorted(ids) for ids in self.own.values())
        hashes = [sorted(self.hashes)] if self.hashes else []  # as trainings before there were any reckoned it
        values = json.dumps([sorted(self.ids), sorted(self.texts), own, *hashes])
        return hashlib.sha256(values.encode()).hexdigest()[:16]


def read_hashes(path: Path) -> list[str]:
    """The SHA-256 of each line, in lower case. Raises CorpusError, with file and line, for anything else."""
    try:
        lines = path.read_text(encoding="utf-8").lower().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise CorpusError(f"{path} can't be read ({first_line(error)}); give a file with a SHA-256 a line.") from error
    digests = {number: line.strip() for number, line in enumerate(lines, start=1) if line.strip()}
    for number, digest in digests.items():
        if not SHA_256.fullmatch(digest):
            raise CorpusError(f"{path}:{number}: {digest[:80]!r} is no SHA-256 of 64 hexadecimal digits; correct it.")
    if not digests:
        raise CorpusError(f"{path} holds no SHA-256; give a file with one a line.")
    return list(digests.values())


def _hashes(text: str) -> set[str]:
    """The SHA-256 of a text in lower case with single spaces: as it is, and without final punctuation."""
    return {hashlib.sha256(form.encode()).hexdigest() for form in (squeeze(text.lower()), normalize_query(text))}


def _held_out_queries(folder: Path) -> list[Query]:
    """The queries of every judged split of a collection except train."""
    return [query for split, judged in judged_sets(folder).items() if split != "train" for query in judged.queries]
