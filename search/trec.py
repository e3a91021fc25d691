"""Reads and writes queries, qrels and runs: TREC's forms, MS MARCO's, and BEIR's."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from indexing import atomic
from indexing.errors import CorpusError
from indexing.records import PassageId, Qrels, Query, QueryId, Ranking, Run

T = TypeVar("T", Query, tuple[str, str, int], tuple[str, str, float])
SPLITS = ("train", "dev", "test")


@dataclass(frozen=True)
class JudgedSet:
    """One split of a collection: its queries that have judgments, and the judgments."""

    split: str
    queries: tuple[Query, ...]
    qrels: Qrels

    def find(self, text: str) -> Query | None:
        """The query that reads so, case and spaces aside."""
        wanted = " ".join(text.lower().split())
        return next((query for query in self.queries if " ".join(query.text.lower().split()) == wanted), None)


def judged_sets(folder: Path) -> dict[str, JudgedSet]:
    """The judged splits beside a corpus: queries[.SPLIT].tsv or .jsonl, qrels[.SPLIT].tsv, .txt or qrels/SPLIT.tsv."""
    found = {}
    root = folder if folder.is_dir() else folder.parent
    for split in SPLITS:
        qrels_path = _first(root, f"qrels.{split}.tsv", f"qrels.{split}.txt", f"qrels/{split}.tsv")
        if qrels_path is None and split == "test":
            qrels_path = _first(root, "qrels.txt", "qrels.tsv")
        queries_path = _first(root, f"queries.{split}.tsv", "queries.tsv", "queries.jsonl")
        if qrels_path is None or queries_path is None:
            continue
        qrels = read_qrels(qrels_path)
        queries = tuple(query for query in read_queries(queries_path) if query.id in qrels)
        found[split] = JudgedSet(split, queries, qrels)
    return found


def read_queries(path: Path) -> list[Query]:
    """Queries of `id TAB text`, or of JSONL with `_id` or `id` and `text`."""

    def parse(line: str) -> Query | str:
        if path.suffix == ".jsonl":
            try:
                record = json.loads(line)
                key, text = record.get("_id", record.get("id")), record.get("text")
            except (ValueError, AttributeError, RecursionError):
                return "not a JSON object"
            if key in (None, "") or not isinstance(text, str) or not text.strip():
                return "no _id, or no text"
            return Query(QueryId(str(key)), text.strip())
        key, tab, text = line.partition("\t")
        if not tab or not key.strip() or not text.strip():
            return "not 'id TAB text'"
        return Query(QueryId(key.strip()), text.strip())

    return list(_parsed(path, parse))


def read_qrels(path: Path) -> Qrels:
    """Grades by query and passage, of TREC's four fields or BEIR's three with a header line."""

    def parse(line: str) -> tuple[str, str, int] | str:
        fields = line.split()
        if fields == ["query-id", "corpus-id", "score"]:
            return ("", "", 0)  # BEIR's header
        try:
            query, passage, grade = fields if len(fields) == 3 else (fields[0], fields[2], fields[3])
            return query, passage, int(grade)
        except (IndexError, ValueError):
            return "not 'query 0 passage grade' with a whole number for the grade"

    qrels: dict[QueryId, dict[PassageId, int]] = {}
    for query, passage, grade in _parsed(path, parse):
        if query:
            qrels.setdefault(QueryId(query), {})[PassageId(passage)] = grade
    return qrels


def read_run(path: Path) -> dict[QueryId, Ranking]:
    """A run of TREC's six fields, or MS MARCO's three (query, passage, rank: scores become 1 / rank).

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
    for query, passage, score in _parsed(path, parse):
        scored.setdefault(QueryId(query), []).append((PassageId(passage), score))
    try:
        return {query: Ranking.sort(pairs) for query, pairs in scored.items()}
    except ValueError as error:
        raise CorpusError(f"Run {path} can't be used: {error}.") from error


def write_run(path: Path, run: Run, *, tag: str) -> None:
    """A run of TREC's six fields, whole or not at all. Raises CorpusError for an id that holds white space."""
    for name in (name for query, ranking in run.items() for name in (query, *ranking.passage_ids)):
        if name.split() != [name]:
            raise CorpusError(f"Id {name!r} holds white space, which a TREC run can't; rename it in the corpus.")
    lines = [
        f"{query} Q0 {passage_id} {rank} {score:.9g} {tag}"
        for query, ranking in run.items()
        for rank, passage_id, score in ranking
    ]
    atomic.write_text(path, "\n".join(lines) + "\n")


def _first(root: Path, *names: str) -> Path | None:
    return next((root / name for name in names if (root / name).is_file()), None)


def _parsed(path: Path, parse: Callable[[str], T | str]) -> Iterator[T]:
    """What each line that isn't empty says. Raises CorpusError with file and line at the first that can't be read."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise CorpusError(f"{path} can't be read as UTF-8 text ({error}).") from error
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            parsed = parse(line.rstrip("\r"))
            if isinstance(parsed, str):
                raise CorpusError(f"{path}:{number}: {parsed}: {line[:80]!r}.")
            yield parsed
