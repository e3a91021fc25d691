"""Marks where a query's terms occur in a passage."""

from typing import NamedTuple

from indexing.words.analyzer import Analyzer


class Span(NamedTuple):
    """A piece of a text; pieces in order make the whole text."""

    text: str
    matched: bool


def matched_spans(query: str, text: str, *, analyzer: Analyzer) -> list[Span]:
    """The text in pieces; a piece is matched if BM25 counts it as a term of the query, or as several that overlap."""
    wanted = set(analyzer.query_terms(query))
    spans: list[Span] = []
    place = 0
    for start, end in _joined(
        sorted((token.start, token.end) for token in analyzer.tokens(text) if token.term in wanted)
    ):
        if start > place:
            spans.append(Span(text[place:start], False))
        spans.append(Span(text[start:end], True))
        place = end
    if place < len(text):
        spans.append(Span(text[place:], False))
    return spans


def _joined(places: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Sorted places, with those that overlap made one."""
    joined: list[tuple[int, int]] = []
    for start, end in places:
        if joined and start < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined
