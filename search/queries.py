"""Queries that are longer than what reads them: those of files are cut to what a search takes, and all is told."""

from collections.abc import Sequence

from indexing.models.long_text import Cut
from indexing.notes import Note, counted, log_note, shown
from indexing.records import Query
from indexing.whitespace import squeeze
from search.settings import QUERY_CHARACTERS


def searchable_queries(queries: Sequence[Query], *, note: Note = log_note) -> list[Query]:
    """The queries with single spaces, each cut at a word to at most QUERY_CHARACTERS; `note` names those that were cut.

    The searches of a whole file go through this, so that one query of thousands of characters (as in ArguAna) doesn't
    stop the others. A query typed into a search box is refused instead (`search.settings.normalized_query`).
    """
    taken, cut = [], []
    for query in queries:
        text = squeeze(query.text)
        if len(text) > QUERY_CHARACTERS:
            cut.append(f"{query.id} ({len(text):,})")
            text = _cut(text)
        taken.append(Query(query.id, text))
    if cut:
        longer = "is longer" if len(cut) == 1 else "are longer"
        note(
            f"{counted(len(cut), 'query', 'queries')} {longer} than the {QUERY_CHARACTERS:,} characters that are "
            f"searched and cut to them: {shown(cut)}."
        )
    return taken


def cut_notes(reader: str, cut: Cut | None) -> tuple[str, ...]:
    """The sentence that `reader` reads only the beginning of a query; none if it reads all."""
    if cut is None:
        return ()
    return (f"The query has {cut.tokens:,} tokens; {reader} reads only the first {cut.read:,}.",)


def _cut(text: str) -> str:
    """The first QUERY_CHARACTERS, without the word that the limit would cut in two."""
    head = text[:QUERY_CHARACTERS]
    whole = head if text[QUERY_CHARACTERS] == " " else head.rpartition(" ")[0]
    return (whole or head).rstrip()
