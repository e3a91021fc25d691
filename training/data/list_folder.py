"""Lays out lists of candidates as a folder to re-rank: corpus.jsonl, queries.tsv, qrels.txt and runs/bm25.trec."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from indexing import atomic
from indexing.atomic import check_new
from indexing.bm25.formula import inverse_frequency, length_norms
from indexing.bm25.from_postings import PostingsBm25
from indexing.bm25.postings import write_postings
from indexing.bm25.settings import Bm25Settings
from indexing.corpus.corpus import Corpus
from indexing.errors import TrainingError
from indexing.judged.sets import judged_sets, pick_split
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
    qrels = {key: {ids[text]: grade for text, grade in grades.items()} for key, (_, grades) in read.items()}
    by_id = {key: text for text, key in ids.items()}
    _write(output, {key: query for key, (query, _) in read.items()}, qrels, by_id, run)
    return len(read)


def lay_out_best(corpus: Path, split: str, output: Path, *, analyzer: Analyzer, depth: int) -> int:
    """Write the same folder for a judged split of a corpus, with BM25's best `depth` passages of each query.

    Return the number of queries.

    Raises:
        CorpusError: a file can't be read.
        SettingsError: the corpus has no such split.
        TrainingError: the folder exists.
    """
    check_new(output)
    judged = pick_split(judged_sets(corpus), split, index=corpus.name)
    passages = list(Corpus(corpus))
    with TemporaryDirectory() as folder:
        write_postings(Path(folder) / "0.arrow", analyzer.analyze([passage.content for passage in passages]))
        bm25, run = PostingsBm25(Path(folder)), dict[QueryId, Ranking]()
        for query in judged.queries:
            rows, scores = bm25.search(analyzer.query_terms(query.text), Bm25Settings(), depth=depth)
            found = [passages[row].id for row in rows.tolist()]
            run[query.id] = Ranking.sort(zip(found, scores.tolist(), strict=True))
    wanted = {passage_id for ranking in run.values() for passage_id in ranking.passage_ids}
    wanted |= {passage_id for grades in judged.qrels.values() for passage_id in grades}
    texts = {passage.id: passage.content for passage in passages if passage.id in wanted}
    _write(output, {query.id: query.text for query in judged.queries}, judged.qrels, texts, run)
    return len(judged.queries)


def _write(
    output: Path,
    queries: Mapping[QueryId, str],
    qrels: Mapping[QueryId, Mapping[PassageId, int]],
    texts: Mapping[PassageId, str],
    run: Mapping[QueryId, Ranking],
) -> None:
    lines = {
        "corpus.jsonl": [json.dumps({"_id": key, "text": text}, ensure_ascii=False) for key, text in texts.items()],
        "queries.tsv": [f"{key}\t{squeeze(query)}" for key, query in queries.items()],
        "qrels.txt": [f"{key} 0 {name} {grade}" for key, grades in qrels.items() for name, grade in grades.items()],
    }
    with atomic.folder(output) as folder:
        (folder / "runs").mkdir()
        for name, rows in lines.items():
            (folder / name).write_text("\n".join(rows) + "\n", encoding="utf-8")
        write_run(folder / "runs/bm25.trec", dict(run), tag="bm25")


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
