"""Says why BM25 found nothing for a query."""

from collections.abc import Sequence

from indexing.words.analyzer import Analyzer
from search.settings import Fusion

MOST_WORDS = 12  # named in a sentence


def unmatched_note(analyzer: Analyzer, query: str, *, fusion: Fusion) -> str:
    """Why no passage has a word of this query, and what is searched by instead."""
    tokens = analyzer.query_tokens(query)
    if tokens:
        words = dict.fromkeys(query[token.start : token.end] for token in tokens)
        reason = f"No passage has any of the query's words: {_listed(list(words))}"
    elif left_out := analyzer.stop_words_in(query):
        reason = f"All words of the query are stop words, which BM25 leaves out: {_listed(left_out)}"
    else:
        reason = "The query has no letter or digit that BM25 could look for"
    if fusion == "bm25":
        return f"{reason}; try other words, or the fusion rrf or dense, which finds passages by their meaning."
    return f"{reason}; the list is the bi-encoder's alone."


def _listed(words: Sequence[str]) -> str:
    shown = ", ".join(words[:MOST_WORDS])
    return shown if len(words) <= MOST_WORDS else f"{shown} and {len(words) - MOST_WORDS} more"
