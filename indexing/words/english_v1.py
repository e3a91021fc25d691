"""The analyzer of indexes built before they had a language: lower case, English stop words, Snowball stems.

It is frozen: those indexes keep it, so that none has to be built again.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from functools import cached_property, lru_cache

import Stemmer

from indexing.words.analyzer import Token

# The 33 words of Lucene's English analyzer (org.apache.lucene.analysis.en.EnglishAnalyzer).
STOP_WORDS = frozenset(
    {
        *("a", "an", "and", "are", "as", "at", "be", "but", "by", "for", "if", "in", "into", "is", "it", "no", "not"),
        *("of", "on", "or", "such", "that", "the", "their", "then", "there", "these", "they", "this", "to", "was"),
        *("will", "with"),
    }
)
WORD = re.compile(r"[\w\u0300-\u036f]+(?:['’][\w\u0300-\u036f]+)?")  # a combining accent is part of its letter
POSSESSIVE = re.compile(r"'s?$")


class EnglishV1:
    """The analyzer that every index had."""

    language = "english"

    @cached_property
    def fingerprint(self) -> str:
        """`cf4ade23e7ac6593`, as long as Snowball's stems stay as they were."""
        probe = "The runner's café has running-shoes; they're naïve, isn't it? ÉCOLE 3.5 e-mail"
        parts = [" ".join(sorted(STOP_WORDS)), WORD.pattern, " ".join(self.terms(probe))]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]

    def terms(self, text: str) -> list[str]:
        """The terms of a text, in order, repeats included."""
        return [term for word in WORD.findall(text) if (term := _term(word))]

    def analyze(self, texts: Iterable[str]) -> list[list[str]]:
        """The terms of each text."""
        return [self.terms(text) for text in texts]

    def tokens(self, text: str) -> list[Token]:
        """The words of a text that aren't stop words, with their places and terms."""
        found = WORD.finditer(text)
        return [Token(match.start(), match.end(), term) for match in found if (term := _term(match.group()))]

    def query_terms(self, query: str) -> list[str]:
        """The terms of a query."""
        return self.terms(query)

    def query_tokens(self, query: str) -> list[Token]:
        """The words of a query with their places and terms."""
        return self.tokens(query)

    def stop_words_in(self, query: str) -> list[str]:
        """The words of a query that aren't looked for, each once."""
        return list(dict.fromkeys(word for word in WORD.findall(query) if not _term(word)))


@lru_cache(maxsize=1)
def _stemmer() -> Stemmer.Stemmer:
    return Stemmer.Stemmer("english")


@lru_cache(maxsize=2**18)
def _term(word: str) -> str:
    """A word's term; empty for a stop word. Cached, because a few words make up most of any text."""
    folded = _fold(word)
    return "" if folded in STOP_WORDS else str(_stemmer().stemWord(folded))


def _fold(word: str) -> str:
    """Lower case, without accents and without a possessive ending."""
    folded = unicodedata.normalize("NFKD", word.replace("’", "'").lower())
    bare = "".join(character for character in folded if not unicodedata.combining(character))
    return POSSESSIVE.sub("", bare)
