"""Reads the queries and qrels of a collection, in MS MARCO's forms, TREC's and BEIR's."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from indexing.errors import CorpusError, SettingsError
from indexing.records import PassageId, Qrels, Query, QueryId
from indexing.whitespace import squeeze

T = TypeVar("T", Query, tuple[str, str, int], tuple[str, str, float])
SPLITS = {"train": ("train",), "dev": ("dev", "validation"), "test": ("test",)}  # our name: names in files


@dataclass(frozen=True)
class JudgedSet:
    """One split of a collection: the queries that have judgments, and those judgments."""

    split: str
    queries: tuple[Query, ...]
    qrels: Qrels

    def find(self, text: str) -> Query | None:
        """The first query that equals `text` apart from case, white space and final punctuation."""
        normalized = normalize_query(text)
        return next((query for query in self.queries if normalize_query(query.text) == normalized), None)


def judged_sets(folder: Path) -> dict[str, JudgedSet]:
    """The judged splits beside a corpus, by train, dev and test.

    Reads MS MARCO's and TREC's queries[.SPLIT].tsv with qrels[.SPLIT].tsv or .txt, where qrels without a split are
    the test split's, and BEIR's queries.jsonl with qrels/SPLIT.tsv. A split called validation is dev.
    """
    sets = {}
    root = folder if folder.is_dir() else folder.parent
    for split, names in SPLITS.items():
        qrels_path = _first(root, *(form for name in names for form in _qrels_forms(name)))
        if qrels_path is None and split == "test":
            qrels_path = _first(root, "qrels.txt", "qrels.tsv")
        queries_path = _first(root, *(f"queries.{name}.tsv" for name in names), "queries.tsv", "queries.jsonl")
        if qrels_path is None or queries_path is None:
            continue
        qrels = read_qrels(qrels_path)
        queries = tuple(query for query in read_queries(queries_path) if query.id in qrels)
        sets[split] = JudgedSet(split, queries, qrels)
    return sets


def pick_split(
    sets: Mapping[str, JudgedSet], split: str, *, index: str, advice: str = "give another --split or --index"
) -> JudgedSet:
    """One of the judged splits beside the corpus of an index.

    Raises:
        SettingsError: there is no split of that name, or none of its queries is judged.
    """
    judged = sets.get(split)
    if judged is None or not judged.queries:
        names = ", ".join(name for name, known in sets.items() if known.queries) or "none"
        raise SettingsError(f"The corpus of index {index} has no judged {split} queries (there: {names}); {advice}.")
    return judged


def _qrels_forms(split: str) -> tuple[str, ...]:
    return f"qrels.{split}.tsv", f"qrels.{split}.txt", f"qrels/{split}.tsv"


def read_queries(path: Path) -> list[Query]:
    """Read queries from lines of `id TAB text`, or from JSONL with `_id` or `id`, and `text`."""

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

    return list(parsed_lines(path, parse))


def read_qrels(path: Path) -> Qrels:
    """Read grades by query and passage, from TREC's four fields or from BEIR's three with a header line."""

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
    for query, passage, grade in parsed_lines(path, parse):
        if query:
            qrels.setdefault(QueryId(query), {})[PassageId(passage)] = grade
    return qrels


def default_minimum_grade(qrels: Qrels) -> int:
    """The default lowest grade that counts as relevant: 2 if there are grades above 1, else 1."""
    return 2 if any(grade > 1 for grades in qrels.values() for grade in grades.values()) else 1


def parsed_lines(path: Path, parse: Callable[[str], T | str]) -> Iterator[T]:
    """Each non-empty line, parsed. Raises CorpusError with file and line for the first that can't be read."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise CorpusError(f"{path} doesn't exist; give a file that does.") from None
    except OSError as error:
        raise CorpusError(f"{path} can't be read ({error.strerror}); give a file that you may read.") from error
    except UnicodeDecodeError as error:
        raise CorpusError(f"{path} isn't UTF-8 text ({error}); save it as UTF-8.") from error
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            parsed = parse(line.rstrip("\r"))
            if isinstance(parsed, str):
                raise CorpusError(f"{path}:{number}: {parsed}: {line[:80]!r}.")
            yield parsed


def _first(root: Path, *names: str) -> Path | None:
    return next((root / name for name in names if (root / name).is_file()), None)


def normalize_query(text: str) -> str:
    """A query in the form used for comparison: lower case, single spaces, no final punctuation."""
    return squeeze(text.lower()).rstrip(" ?.!")
