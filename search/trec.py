"""Reads runs in TREC's or MS MARCO's format, and writes them in TREC's."""

from pathlib import Path

from indexing import atomic
from indexing.corpus.judged import parsed_lines
from indexing.errors import CorpusError
from indexing.records import PassageId, QueryId, Ranking, Run


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
