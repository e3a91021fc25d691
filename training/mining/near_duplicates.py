"""Finds texts that repeat one of a few others, apart from word order, repetition and small changes."""

from collections.abc import Iterable

from indexing.bm25 import analyzer
from indexing.whitespace import squeeze


class NearDuplicates:
    """The passages that a query's negatives must not repeat."""

    def __init__(self, texts: Iterable[str], *, share: float) -> None:
        """`share` is the Jaccard index of two texts' sets of terms from which they count as the same, above 0 to 1."""
        self._share = share
        self._plain: set[str] = set()
        self._terms: list[frozenset[str]] = []
        for text in texts:
            self._plain.add(_plain(text))
            self._terms.append(frozenset(analyzer.terms(text)))

    def match(self, text: str) -> bool:
        """Whether a text is one of them, case and spaces aside, or shares enough terms with one of them.

        A text of stop words alone has no terms and matches only as a whole.
        """
        if _plain(text) in self._plain:
            return True
        terms = frozenset(analyzer.terms(text))
        return any(len(terms & others) >= self._share * len(terms | others) for others in self._terms if terms)


def _plain(text: str) -> str:
    return squeeze(text.lower())
