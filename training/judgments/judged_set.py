"""Judged sets: the splits beside a corpus, or any two files."""

from pathlib import Path

from indexing.corpus.judged import JudgedSet, read_qrels, read_queries
from indexing.errors import SettingsError
from indexing.index import Index
from training.example import NO_JUDGMENT, NO_QUERY, OnSkip, ignore


def judged_files(queries: Path, qrels: Path, *, on_skip: OnSkip = ignore) -> JudgedSet:
    """The queries that have judgments, under the name of their file; `on_skip` gets a reason for each of one file only.

    `queries` holds `id TAB text` or BEIR's JSONL, `qrels` TREC's and MS MARCO's four fields or BEIR's three.

    Raises:
        SettingsError: a file doesn't exist, or no query has a judgment.
        CorpusError: a line can't be read.
    """
    for name, file in (("queries", queries), ("qrels", qrels)):
        if not file.is_file():
            raise SettingsError(f"There is no file {file} of {name}; give one that exists.")
    judgments, texts = read_qrels(qrels), read_queries(queries)
    judged = tuple(query for query in texts if query.id in judgments)
    if not judged:
        raise SettingsError(
            f"None of the {len(texts):,} queries of {queries} is among the {len(judgments):,} that {qrels} judges; "
            "give files with the same ids."
        )
    for _ in range(len(texts) - len(judged)):
        on_skip(NO_JUDGMENT)
    for _ in judgments.keys() - {query.id for query in texts}:
        on_skip(NO_QUERY)
    return JudgedSet(queries.name, judged, judgments)


def absent(judged: JudgedSet, index: Index) -> int:
    """Passages that the index lacks, each as often as it is judged for one of the queries."""
    return sum(passage_id not in index.passages for query in judged.queries for passage_id in judged.qrels[query.id])
