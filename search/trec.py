"""Reads runs in TREC's or MS MARCO's format, and writes them in TREC's."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from indexing import atomic
from indexing.errors import CorpusError
from indexing.judged.lines import parsed_lines
from indexing.records import PassageId, QueryId, Ranking, Run

if TYPE_CHECKING:
    from indexing.index import Index


def read_run(path: Path) -> dict[QueryId, Ranking]:
    """Read a run of TREC's six fields, or MS MARCO's three (query, passage, rank: scores become 1 / rank).

    Order is by score, ties by passage id, as everywhere in this project.
    """

    def parse(line: str) -> tuple[str, str, float] | str:
        fields = line.split()
        try:
            if len(fields) == 3:
                return fields[0], fields[1], 1 / int(fields[2])
            return fields[0], fields[2], float(fields[4])
        except (IndexError, ValueError, ZeroDivisionError):
            return "not 'query Q0 passage rank score tag' nor 'query passage rank'"

    scored: dict[QueryId, list[tuple[PassageId, float]]] = {}
    for query, passage, score in parsed_lines(path, parse):
        scored.setdefault(QueryId(query), []).append((PassageId(passage), score))
    try:
        return {query: Ranking.sort(pairs) for query, pairs in scored.items()}
    except ValueError as error:
        raise CorpusError(f"Run {path} can't be used: {error}.") from error


def check_run_ids(queries: Iterable[str], index: "Index") -> None:
    """Refuse, before anything is searched, ids that the lines of a TREC run can't hold.

    Raises:
        CorpusError: the id of a query or of any passage of the index is empty or contains white space.
    """
    for name in queries:
        _check_id(name, "query", "the file of queries")
    blank = index.passages.first_id_with_blanks()
    if blank is not None:
        _check_id(blank, "passage", f"the corpus of index {index.manifest.name}, and build it again")


def _check_id(name: str, what: str, place: str) -> None:
    if name.split() != [name]:
        raise CorpusError(
            f"Id {name!r} of a {what} {'contains white space' if name else 'is empty'}, which a TREC run can't hold; "
            f"rename it in {place}."
        )


def write_run(path: Path, run: Run, *, tag: str) -> None:
    """Write a run of TREC's six fields, whole or not at all. Raises CorpusError if an id contains white space."""
    for name in (name for query, ranking in run.items() for name in (query, *ranking.passage_ids)):
        if name.split() != [name]:
            raise CorpusError(
                f"Id {name!r} contains white space, which a TREC run can't hold; rename it in the corpus."
            )
    lines = [
        f"{query} Q0 {passage_id} {rank} {score:.9g} {tag}"
        for query, ranking in run.items()
        for rank, passage_id, score in ranking
    ]
    atomic.write_text(path, "\n".join(lines) + "\n")
