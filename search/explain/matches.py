"""Marks where a query's terms occur in a passage."""

from typing import NamedTuple

from indexing.bm25 import analyzer


class Span(NamedTuple):
    """A piece of a text; pieces in order make the whole text."""

    text: str
    matched: bool


def matched_spans(query: str, text: str) -> list[Span]:
    """The text in pieces; a piece is matched if BM25 counts it as a term of the query."""
    query_terms = set(analyzer.terms(query))
    spans: list[Span] = []
    place = 0
    for token in analyzer.tokens(text):
        if token.term in query_terms:
            if token.start > place:
                spans.append(Span(text[place : token.start], False))
            spans.append(Span(text[token.start : token.end], True))
            place = token.end
    if place < len(text):
        spans.append(Span(text[place:], False))
    return spans
