"""Splits a passage's BM25 score into the contributions of the query's terms."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from indexing.bm25.formula import inverse_frequency, length_norms
from indexing.bm25.settings import Bm25Settings
from indexing.errors import SettingsError
from indexing.index import Index
from indexing.manifest import rebuild
from indexing.words.analyzer import Analyzer
from search.retrieve import bm25_settings


@dataclass(frozen=True, kw_only=True)
class TermScore:
    """One term of the query, and its contribution to a passage's score."""

    term: str
    """The stem that BM25 counts."""
    word: str
    """The query's spelling of it, at its first occurrence."""
    in_query: int
    """Occurrences in the query; each adds to the score."""
    in_passage: int
    """Occurrences in the passage: tf."""
    passages: int
    """Passages of the index that contain it: df."""
    idf: float
    score: float
    """Its contribution to the passage's score."""


@dataclass(frozen=True)
class Bm25Score:
    """A passage's score with everything that it is computed from."""

    terms: tuple[TermScore, ...]
    """In the order of the query, each once."""
    length: int
    """Terms in the passage, repeats included."""
    mean_length: float
    """Mean number of terms in a passage, over the whole index."""
    settings: Bm25Settings

    @property
    def score(self) -> float:
        """The sum of the terms' scores: the score of a search, up to float32's rounding."""
        return sum(term.score for term in self.terms)


def explain_bm25(
    index: Index, query: str, content: str, *, k1: float | None = None, b: float | None = None
) -> Bm25Score:
    """The score that an index gives a passage of this content, term by term, from the index's postings.

    None for `k1` or `b` stands for the index's own value.

    Raises:
        SettingsError: the index stores no postings.
    """
    postings = index.postings
    if postings is None:
        raise SettingsError(
            f"Index {index.folder} stores no postings, so BM25's scores can't be taken apart. {rebuild(index.folder)}"
        )
    settings = bm25_settings(index, k1=k1, b=b)
    passage_terms = index.analyzer.terms(content)
    length, counts = len(passage_terms), Counter(passage_terms)
    norm = float(length_norms(np.array([length]), settings, mean=postings.mean_length)[0])
    words = _words(index.analyzer, query)
    terms = []
    for term, in_query in Counter(index.analyzer.query_terms(query)).items():
        passages = len(postings.find(term).rows)
        idf = float(inverse_frequency(np.array([passages]), passages=len(postings))[0])
        count = counts[term]
        terms.append(
            TermScore(
                term=term,
                word=words[term],
                in_query=in_query,
                in_passage=count,
                passages=passages,
                idf=idf,
                score=in_query * idf * count / (count + norm) if count else 0.0,
            )
        )
    return Bm25Score(tuple(terms), length, postings.mean_length, settings)


def _words(analyzer: Analyzer, query: str) -> Mapping[str, str]:
    """The spelling of each term at its first occurrence in a query."""
    words: dict[str, str] = {}
    for token in analyzer.query_tokens(query):
        words.setdefault(token.term, query[token.start : token.end])
    return words
