"""Text becomes the terms that BM25 counts: lower case, English stop words out, Snowball stems."""

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
WORD = re.compile(r"[\w\u0300-\u036f]+(?:['’][\w\u0300-\u036f]+)?")  # combining accents belong to their letter
POSSESSIVE = re.compile(r"'s?$")


class Token(NamedTuple):
    """One word of a text and the term that it counts as; `start` and `end` are character offsets."""

    start: int
    end: int
    term: str


def tokens(text: str) -> list[Token]:
    """The words of a text that count, with their places in it and their terms."""
    return [Token(match.start(), match.end(), term) for match in WORD.finditer(text) if (term := _term(match.group()))]


def terms(text: str) -> list[str]:
    """The terms of a text, in order, repeats included."""
    return [term for word in WORD.findall(text) if (term := _term(word))]


def analyze(texts: Iterable[str]) -> list[list[str]]:
    """The terms of each text."""
    return [terms(text) for text in texts]


def fingerprint() -> str:
    """Changes whenever the analyzer would give other terms; every index's manifest records it."""
    probe = "The runner's café has running-shoes; they're naïve, isn't it? ÉCOLE 3.5 e-mail"
    parts = [" ".join(sorted(STOP_WORDS)), WORD.pattern, " ".join(terms(probe))]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


@lru_cache(maxsize=1)
def _stemmer() -> Stemmer.Stemmer:
    return Stemmer.Stemmer("english")


@lru_cache(maxsize=2**18)
def _term(word: str) -> str:
    """What a word counts as; empty for a stop word. Few words make up most of any text, so they are cached."""
    folded = _fold(word)
    return "" if folded in STOP_WORDS else str(_stemmer().stemWord(folded))


def _fold(word: str) -> str:
    """Lower case, without accents and without a possessive ending."""
    folded = unicodedata.normalize("NFKD", word.replace("’", "'").lower())
    bare = "".join(character for character in folded if not unicodedata.combining(character))
    return POSSESSIVE.sub("", bare)
