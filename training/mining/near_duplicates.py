"""Detects texts that repeat one of a few others, apart from word order, repeated words, encoding and small changes."""

from collections.abc import Iterable
from functools import lru_cache

from indexing.corpus.same_text import text_key, unified
from indexing.words.analyzers import analyzer_for

MOST_TEXTS = 4_096  # whose terms are remembered: a small collection's passages are candidates of query after query


class NearDuplicates:
    """The passages that a query's negatives must not repeat."""

    def __init__(self, texts: Iterable[str], *, share: float) -> None:
        """`share`, above 0 and up to 1, is the lowest Jaccard index of two texts' terms that makes them duplicates."""
        self._share = share
        self._keys: set[str] = set()
        self._terms: list[frozenset[str]] = []
        for text in texts:
            self._keys.add(text_key(text))
            self._terms.append(_terms(text))

    def match(self, text: str) -> bool:
        """Whether a text says the same as one of them, as `text_key` compares, or shares enough terms with one.

        A text that consists of stop words has no terms and matches only by equality.
        """
        if text_key(text) in self._keys:
            return True
        terms = _terms(text)
        return any(len(terms & others) >= self._share * len(terms | others) for others in self._terms if terms)


@lru_cache(maxsize=MOST_TEXTS)
def _terms(text: str) -> frozenset[str]:
    return frozenset(analyzer_for().terms(unified(text)))
