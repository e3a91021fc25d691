"""Gives the analyzer of a language, and the one that an index was built with."""

from functools import lru_cache

from indexing.words.analyzer import Analyzer
from indexing.words.english_v1 import EnglishV1
from indexing.words.languages import DEFAULT, language_names
from indexing.words.languages import language as language_named
from indexing.words.words import WordAnalyzer


@lru_cache
def analyzer_for(language: str = DEFAULT) -> Analyzer:
    """The analyzer that new indexes of this language get."""
    return WordAnalyzer(language_named(language))


def recorded_analyzer(language: str, fingerprint: str) -> Analyzer | None:
    """The analyzer of an index whose manifest has these; None if this program lacks it.

    A manifest without a language is of an index that was built before indexes had one.
    """
    if language and language not in language_names():
        return None
    analyzer = analyzer_for(language) if language else _english_v1()
    return analyzer if analyzer.fingerprint == fingerprint else None


@lru_cache
def _english_v1() -> Analyzer:
    return EnglishV1()
