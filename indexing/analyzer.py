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


@lru_cache(maxsize=1)
def _stemmer() -> Stemmer.Stemmer:
    return Stemmer.Stemmer("english")


def tokens(text: str) -> list[Token]:
    """The words of a text that count, with their places in it and their terms."""
    found = [(match.start(), match.end(), _fold(match.group())) for match in WORD.finditer(text)]
    kept = [item for item in found if item[2] not in STOP_WORDS]
    stems = _stemmer().stemWords([word for _, _, word in kept])
    return [Token(start, end, stem) for (start, end, _), stem in zip(kept, stems, strict=True)]


def terms(text: str) -> list[str]:
    """The terms of a text, in order, repeats included."""
    return [token.term for token in tokens(text)]


def analyze(texts: Iterable[str]) -> list[list[str]]:
    """The terms of each text."""
    return [terms(text) for text in texts]


def fingerprint() -> str:
    """Changes whenever the analyzer would give other terms; kept in every index's manifest."""
    probe = "The runner's café has running-shoes; they're naïve, isn't it? ÉCOLE 3.5 e-mail"
    parts = [" ".join(sorted(STOP_WORDS)), WORD.pattern, " ".join(terms(probe))]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _fold(word: str) -> str:
    """Lower case, without accents and without a possessive ending."""
    folded = unicodedata.normalize("NFKD", word.replace("’", "'").lower())
    bare = "".join(character for character in folded if not unicodedata.combining(character))
    return POSSESSIVE.sub("", bare)
