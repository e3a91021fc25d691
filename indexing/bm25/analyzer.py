"""Turns text into the terms that BM25 counts: lower case, without English stop words, Snowball stems."""

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

import Stemmer

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


class Token(NamedTuple):
    """A word of a text and its term; `start` and `end` are the word's character offsets."""

    start: int
    end: int
    term: str


def tokens(text: str) -> list[Token]:
    """The words of a text that aren't stop words, with their places and terms."""
    return [Token(match.start(), match.end(), term) for match in WORD.finditer(text) if (term := _term(match.group()))]


def terms(text: str) -> list[str]:
    """The terms of a text, in order, repeats included."""
    return [term for word in WORD.findall(text) if (term := _term(word))]


def analyze(texts: Iterable[str]) -> list[list[str]]:
    """The terms of each text."""
    return [terms(text) for text in texts]


def fingerprint() -> str:
    """A fingerprint of the analyzer, which changes when its terms would; every index's manifest records it."""
    probe = "The runner's café has running-shoes; they're naïve, isn't it? ÉCOLE 3.5 e-mail"
    parts = [" ".join(sorted(STOP_WORDS)), WORD.pattern, " ".join(terms(probe))]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


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
