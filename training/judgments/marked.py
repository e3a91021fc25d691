"""Lines of queries and of judgments that bear the mark of who made them, so that nobody takes them for other ones."""

from collections.abc import Sequence
from pathlib import Path

from indexing import atomic
from indexing.errors import CorpusError
from indexing.records import Qrels, Query
from indexing.whitespace import squeeze


def line_field(name: str) -> str:
    """An id as it stands between tabs. Raises CorpusError if it can't stand there."""
    if len(name.splitlines()) != 1 or "\t" in name:
        raise CorpusError(f"Id {name[:80]!r} has a tab or an end of line, which no file of lines can hold; rename it.")
    return name


def query_lines(queries: Sequence[Query]) -> list[str]:
    """A line for each query: its id and its text."""
    return [f"{line_field(query.id)}\t{squeeze(query.text)}" for query in queries]


def qrels_lines(queries: Sequence[Query], qrels: Qrels, *, mark: str = "0") -> list[str]:
    """A line for each judgment of these queries; `mark` stands in TREC's second column, which is 0 for people's."""
    return [
        f"{line_field(query.id)}\t{mark}\t{line_field(passage)}\t{grade}"
        for query in queries
        for passage, grade in qrels[query.id].items()
    ]


def text_of(lines: Sequence[str]) -> str:
    """Lines as a file holds them."""
    return "".join(f"{line}\n" for line in lines)


def write_lines(path: Path, lines: Sequence[str]) -> None:
    """Write a file of lines in one step."""
    atomic.write_text(path, text_of(lines))
