"""Gives the analyzer of a language, and the one that an index was built with."""

from functools import lru_cache

from indexing.words.analyzer import Analyzer
from indexing.words.english_v1 import EnglishV1

DEFAULT_LANGUAGE = "english"


@lru_cache
def analyzer_for(language: str = DEFAULT_LANGUAGE) -> Analyzer:
    """The analyzer that new indexes of this language get."""
    del language
    return _english_v1()


def recorded_analyzer(language: str, fingerprint: str) -> Analyzer | None:
    """The analyzer of an index whose manifest has these; None if this program lacks it.

    A manifest without a language is of an index that was built before indexes had one.
    """
    analyzer = analyzer_for(language) if language else _english_v1()
    return analyzer if analyzer.fingerprint == fingerprint else None


@lru_cache
def _english_v1() -> Analyzer:
    return EnglishV1()
