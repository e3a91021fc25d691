"""Detects texts that repeat one of a few others, apart from word order, repeated words and small changes."""

from collections.abc import Iterable

from indexing.bm25 import analyzer
from indexing.whitespace import squeeze


class NearDuplicates:
    """The passages that a query's negatives must not repeat."""

    def __init__(self, texts: Iterable[str], *, share: float) -> None:
        """`share`, above 0 and up to 1, is the lowest Jaccard index of two texts' terms that makes them duplicates."""
        self._share = share
        self._plain: set[str] = set()
        self._terms: list[frozenset[str]] = []
        for text in texts:
            self._plain.add(_plain(text))
            self._terms.append(frozenset(analyzer.terms(text)))

    def match(self, text: str) -> bool:
        """Whether a text equals one of them, ignoring case and spacing, or shares enough terms with one.

        A text that consists of stop words has no terms and matches only by equality.
        """
        if _plain(text) in self._plain:
            return True
        terms = frozenset(analyzer.terms(text))
        return any(len(terms & others) >= self._share * len(terms | others) for others in self._terms if terms)


def _plain(text: str) -> str:
    return squeeze(text.lower())
