"""Says why BM25 found nothing for a query."""

from indexing.notes import shown
from indexing.words.analyzer import Analyzer
from search.settings import Fusion

MOST_WORDS = 12  # named in a sentence


def unmatched_note(analyzer: Analyzer, query: str, *, fusion: Fusion) -> str:
    """Why no passage has a word of this query, and what is searched by instead."""
    tokens = analyzer.query_tokens(query)
    if tokens:
        words = dict.fromkeys(query[token.start : token.end] for token in tokens)
        reason = f"No passage has any of the query's words: {shown(list(words), most=MOST_WORDS)}"
    elif left_out := analyzer.stop_words_in(query):
        reason = f"All words of the query are stop words, which BM25 leaves out: {shown(left_out, most=MOST_WORDS)}"
    else:
        reason = "The query has no letter or digit that BM25 could look for"
    if fusion == "bm25":
        return f"{reason}; try other words, or the fusion rrf or dense, which finds passages by their meaning."
    return f"{reason}; the list is the bi-encoder's alone."
