"""Takes a passage's BM25 score apart into what each term of the query adds."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from indexing.bm25 import analyzer
from indexing.bm25.formula import inverse_frequency
from indexing.bm25.postings import Postings
from indexing.bm25.settings import Bm25Settings
from indexing.index import Index
from search.retrieve import bm25_settings


@dataclass(frozen=True)
class TermScore:
    """One term of the query, and what it adds to a passage's score."""

    term: str
    """As BM25 counts it: a stem."""
    word: str
    """As the query writes it where the term comes first."""
    in_query: int
    """How often the query has it; its score counts each time."""
    in_passage: int
    """How often the passage has it: tf."""
    passages: int
    """Passages of the index that have it: df."""
    idf: float
    score: float
    """Its share of the passage's score."""


@dataclass(frozen=True)
class Bm25Score:
    """A passage's score with all that goes into it."""

    terms: tuple[TermScore, ...]
    """In the order of the query, each once."""
    length: int
    """Terms in the passage, repeats included."""
    mean_length: float
    """The same, over the whole index."""
    settings: Bm25Settings

    @property
    def score(self) -> float:
        """The sum of the terms' scores: that of a search score but for float32's rounding."""
        return sum(term.score for term in self.terms)


def explain_bm25(
    index: Index, query: str, content: str, *, k1: float | None = None, b: float | None = None
) -> Bm25Score:
    """The score that an index gives a passage of this content, term by term, from the index's postings.

    None for `k1` or `b` stands for the index's own.
    """
    postings = Postings(index.folder / "terms")
    words = _words(query)
    wanted = Counter(analyzer.terms(query))
    held = analyzer.terms(content)
    counts = Counter(held)
    settings = bm25_settings(index, k1=k1, b=b)
    mean_length = _mean_length(postings)
    norm = settings.k1 * (1 - settings.b + settings.b * len(held) / mean_length)
    terms = []
    for term, in_query in wanted.items():
        passages = len(postings.find(term).rows)
        idf = float(inverse_frequency(np.array([passages]), passages=len(postings))[0])
        count = counts[term]
        score = in_query * idf * count / (count + norm) if count else 0.0
        terms.append(TermScore(term, words[term], in_query, count, passages, idf, score))
    return Bm25Score(tuple(terms), len(held), mean_length, settings)


def _words(query: str) -> Mapping[str, str]:
    """Each term of a query as it is written there first."""
    words: dict[str, str] = {}
    for token in analyzer.tokens(query):
        words.setdefault(token.term, query[token.start : token.end])
    return words


def _mean_length(postings: Postings) -> float:
    """Terms of a passage on average; 1 where no passage has any, as when the index is built."""
    total = sum(int(shard.counts.sum(dtype=np.int64)) for shard in postings.shards)
    return total / len(postings) if total else 1.0
