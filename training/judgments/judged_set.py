"""Judged sets from any two files of queries and judgments, and a count of their passages that an index lacks."""

from pathlib import Path

from indexing.errors import SettingsError
from indexing.index import Index
from indexing.judged.fit import listed
from indexing.judged.qrels import named_by_id, read_judgments
from indexing.judged.queries import read_queries
from indexing.judged.sets import JudgedSet
from training.example import NO_JUDGMENT, NO_QUERY, OnSkip, ignore


def judged_files(queries: Path, qrels: Path, *, on_skip: OnSkip = ignore) -> JudgedSet:
    """The queries that have judgments; `on_skip` gets a reason for each query that only one of the files holds.

    `queries` holds `id TAB text` or BEIR's JSONL, `qrels` TREC's and MS MARCO's four fields or BEIR's three. The split
    is named after the file of queries.

    Raises:
        SettingsError: a file doesn't exist, or no query has a judgment.
        CorpusError: a line can't be read.
    """
    for name, file in (("queries", queries), ("qrels", qrels)):
        if not file.is_file():
            raise SettingsError(f"The {name} file {file} doesn't exist; give one that does.")
    read = read_judgments(qrels)
    judgments, texts = named_by_id(read, qrels), read_queries(queries)
    judged = tuple(query for query in texts if query.id in judgments)
    if not judged:
        raise SettingsError(
            f"None of the {len(texts):,} queries in {queries} ({listed(query.id for query in texts)}) is among the "
            f"{len(judgments):,} with judgments in {qrels} ({listed(judgments)}); give files with the same ids."
        )
    for _ in range(len(texts) - len(judged)):
        on_skip(NO_JUDGMENT)
    for _ in judgments.keys() - {query.id for query in texts}:
        on_skip(NO_QUERY)
    grades = {query.id: judgments[query.id] for query in judged}
    return JudgedSet(queries.name, judged, grades, source=read.source)


def count_absent(judged: JudgedSet, index: Index) -> int:
    """Number of judgments whose passage the index lacks."""
    return sum(passage_id not in index.passages for query in judged.queries for passage_id in judged.qrels[query.id])
