"""Lays out lists of judged candidates as a folder to re-rank: corpus.jsonl, queries.tsv, qrels.txt, runs/bm25.trec."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from indexing import atomic
from indexing.atomic import check_new
from indexing.bm25.formula import inverse_frequency, length_norms
from indexing.bm25.settings import Bm25Settings
from indexing.errors import TrainingError
from indexing.records import PassageId, QueryId, Ranking
from indexing.whitespace import squeeze
from indexing.words.analyzer import Analyzer
from search.trec import write_run
from training.data.readers.graded_lists import judged_lists

Lists = Mapping[QueryId, tuple[str, Mapping[str, int]]]
"""By query id, its text and the grade of each passage's text."""


def lay_out_lists(lists: Path, output: Path, *, analyzer: Analyzer) -> int:
    """Write the folder, which `evaluate --trec` and `Candidates.read` take, and return the number of queries.

    The run ranks all judged passages of each query by BM25, whose statistics are those of all the passages in the file.
    A text that appears in several lists is one passage.

    Raises:
        CorpusError: a line can't be read.
        TrainingError: the folder exists, or no candidate is judged.
    """
    check_new(output)
    read = judged_lists(lists)
    texts = dict.fromkeys(text for _, grades in read.values() for text in grades)
    if not texts:
        raise TrainingError(f"No candidate of {lists} is judged; give lists with grades.")
    ids = {text: PassageId(f"p{number}") for number, text in enumerate(texts, start=1)}
    run = _bm25_run(read, ids, analyzer)
    passages = [json.dumps({"_id": key, "text": text}, ensure_ascii=False) for text, key in ids.items()]
    queries = [f"{key}\t{squeeze(query)}" for key, (query, _) in read.items()]
    qrels = [f"{key} 0 {ids[text]} {grade}" for key, (_, grades) in read.items() for text, grade in grades.items()]
    with atomic.folder(output) as folder:
        (folder / "runs").mkdir()
        for name, lines in (("corpus.jsonl", passages), ("queries.tsv", queries), ("qrels.txt", qrels)):
            (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
        write_run(folder / "runs/bm25.trec", run, tag="bm25")
    return len(read)


def _bm25_run(lists: Lists, ids: Mapping[str, PassageId], analyzer: Analyzer) -> dict[QueryId, Ranking]:
    counts = {text: Counter(analyzer.terms(text)) for text in ids}
    lengths = np.array([counted.total() for counted in counts.values()])  # (passages,) terms
    norms = dict(zip(counts, length_norms(lengths, Bm25Settings(), mean=float(lengths.mean())), strict=True))
    frequencies = Counter(term for counted in counts.values() for term in counted)
    run = {}
    for key, (query, grades) in lists.items():
        terms = [term for term in analyzer.query_terms(query) if term in frequencies]
        idf = inverse_frequency(np.array([frequencies[term] for term in terms], dtype=np.int64), passages=len(ids))
        weights = idf.tolist()
        scores = {ids[text]: _score(counts[text], terms, weights, float(norms[text])) for text in grades}
        run[key] = Ranking.sort(scores.items())
    return run


def _score(counts: Mapping[str, int], terms: Sequence[str], idf: Sequence[float], norm: float) -> float:
    return sum(weight * counts[term] / (counts[term] + norm) for term, weight in zip(terms, idf, strict=True))
