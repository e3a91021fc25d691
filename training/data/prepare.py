"""Lays out judged data of several forms as corpora to index and to train on: data/corpora/<name>/.

Each becomes collection.tsv, queries.train.tsv and, if it has judgments, qrels.train.tsv. The input folder has a
subfolder for each source; missing ones are skipped. Data meant only for evaluation (TREC DL 2019) is never read.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from indexing import atomic
from indexing.corpus.corpus import Corpus
from indexing.errors import CorpusError
from indexing.judged.qrels import read_qrels
from indexing.judged.queries import read_queries
from indexing.judged.sets import JudgedSet, judged_sets
from indexing.records import PassageId, QueryId, Ranking
from indexing.whitespace import squeeze
from search.trec import read_run, write_run
from training.data.readers.lines import data_lines, json_record, text

PASSAGE_WORDS = 180  # longer documents are cut; a cross-encoder of 256 tokens reads fewer words than this
SPLADE_RUN = "runs/splade_p_p_ensemble_distil.trec"  # the strongest run that comes with these collections
MOST_CANDIDATES = 12  # most candidate sentences stored for a question: TREC QA lists hundreds for some
log = logging.getLogger(__name__)


@dataclass
class JudgedCollection:
    """Judged passages to lay out; a text that appears several times has one id."""

    passages: dict[PassageId, str] = field(default_factory=dict)
    queries: dict[QueryId, str] = field(default_factory=dict)
    qrels: dict[QueryId, dict[PassageId, int]] = field(default_factory=dict)
    run: dict[QueryId, Ranking] = field(default_factory=dict)
    dev: JudgedSet | None = None
    """Queries for choosing among checkpoints; they are never trained on."""
    _ids: dict[str, PassageId] = field(default_factory=dict)

    def add_text(self, text: str) -> PassageId:
        """Add a text, cut to PASSAGE_WORDS, and return its id; the same text gets the same id."""
        cleaned = " ".join(text.split()[:PASSAGE_WORDS])
        if cleaned not in self._ids:
            self._ids[cleaned] = PassageId(str(len(self._ids)))
            self.passages[self._ids[cleaned]] = cleaned
        return self._ids[cleaned]


def prepare(folder: Path, target: Path) -> dict[str, Path]:
    """Lay out every source of `folder` as a folder of `target`, and return the folders by name; existing ones stay.

    Raises:
        CorpusError: `folder` holds none of the sources, or one of them can't be read.
    """
    corpora = {}
    for name, read in READERS.items():
        if (target / name).is_dir():
            corpora[name] = target / name
            continue
        try:
            source = read(folder)
        except FileNotFoundError as error:
            log.warning("%s: skipped, because %s doesn't exist", name, error.filename)
            continue
        _write(target / name, source)
        corpora[name] = target / name
    if not corpora:
        raise CorpusError(f"{folder} holds none of {', '.join(READERS)}; give a folder with judged collections.")
    return corpora


def _write(target: Path, source: JudgedCollection) -> None:
    with atomic.folder(target) as work:
        _write_table(work / "collection.tsv", source.passages)
        _write_table(work / "queries.train.tsv", source.queries)
        if source.qrels:
            lines = [f"{q} 0 {p} {grade}" for q, judged in source.qrels.items() for p, grade in judged.items()]
            (work / "qrels.train.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        if source.dev is not None:
            _write_table(work / "queries.dev.tsv", {query.id: query.text for query in source.dev.queries})
            rows = [f"{q} 0 {p} {grade}" for q, judged in source.dev.qrels.items() for p, grade in judged.items()]
            (work / "qrels.dev.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
        if source.run:
            write_run(work / "run.train.trec", source.run, tag=target.name)


def _write_table(path: Path, table: Mapping[Any, str]) -> None:
    lines = [f"{key}\t{squeeze(text)}" for key, text in table.items()]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _collection(
    folder: Path, *, corpus: str, queries: str, qrels: str | None, run: str | None = None
) -> JudgedCollection:
    """A collection with its own ids; passages that it lacks are left out of the judgments and the run."""
    if not (folder / corpus).is_file():
        raise FileNotFoundError(2, "no corpus", str(folder / corpus))
    source = JudgedCollection()
    for passage in Corpus(folder / corpus, skip_bad_lines=True):
        source.passages[passage.id] = " ".join(passage.content.split()[:PASSAGE_WORDS])
    source.queries = {query.id: query.text for query in read_queries(folder / queries)}
    if qrels is not None:
        for query, judged in read_qrels(folder / qrels).items():
            grades = {passage: grade for passage, grade in judged.items() if passage in source.passages}
            if grades and query in source.queries:
                source.qrels[query] = grades
    if run is not None and (folder / run).is_file():
        for query, ranking in read_run(folder / run).items():
            scores = [(passage, score) for _, passage, score in ranking if passage in source.passages]
            if scores and query in source.queries:
                source.run[query] = Ranking.sort(scores)
    return source


def _with_dev(source: JudgedCollection, folder: Path) -> JudgedCollection:
    """The same collection with its folder's dev queries, if it has any."""
    sets = judged_sets(folder)
    if "dev" in sets:
        qrels = {
            query: {passage: grade for passage, grade in judged.items() if passage in source.passages}
            for query, judged in sets["dev"].qrels.items()
        }
        queries = tuple(query for query in sets["dev"].queries if qrels.get(query.id))
        source.dev = JudgedSet("dev", queries, {query.id: qrels[query.id] for query in queries})
    return source


def _json_lines(path: Path, check: Callable[[str], dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The records of a file's lines. Raises CorpusError, with file and line, for one that `check` refuses."""
    if not path.is_file():
        raise FileNotFoundError(2, "no judged data", str(path))
    return data_lines(path, check)


def _candidates(line: str) -> dict[str, Any]:
    """A question with candidates. Raises ValueError with what is wrong."""
    record = json_record(line)
    text(record.get("query"), "query")
    candidates = record.get("candidates")
    if not isinstance(candidates, list) or not all(isinstance(candidate, dict) for candidate in candidates):
        raise ValueError("'candidates' is not a list of objects")
    for candidate in candidates:
        text(candidate.get("text"), "text", blank=True)
        if candidate.get("label") not in (0, 1):
            raise ValueError(f"'label' is {str(candidate.get('label'))[:40]!r}, not 0 or 1")
    return record


def _answered(line: str) -> dict[str, Any]:
    """A question with its answer. Raises ValueError with what is wrong."""
    record = json_record(line)
    for name in ("query", "positive"):
        text(record.get(name), name, blank=True)
    return record


def _candidate_lists(*paths: Path) -> JudgedCollection:
    """Questions with labeled candidate sentences (WikiQA, TREC QA); questions without an answer are left out."""
    source = JudgedCollection()
    for path in paths:
        for record in _json_lines(path, _candidates):
            if not any(candidate["label"] for candidate in record["candidates"]):
                continue
            query = QueryId(str(len(source.queries)))
            source.queries[query] = record["query"]
            judged = source.qrels.setdefault(query, {})
            ordered = sorted(record["candidates"], key=lambda candidate: -candidate["label"])
            for candidate in ordered[:MOST_CANDIDATES]:
                if candidate["text"].strip():
                    passage = source.add_text(candidate["text"])
                    judged[passage] = max(judged.get(passage, 0), int(candidate["label"] > 0))
    return source


def _answer_sentences(*paths: Path) -> JudgedCollection:
    """Questions, each with the one sentence that answers it (SQuAD)."""
    source = JudgedCollection()
    for path in paths:
        for record in _json_lines(path, _answered):
            if record["positive"].strip() and record["query"].strip():
                query = QueryId(str(len(source.queries)))
                source.queries[query] = record["query"]
                source.qrels[query] = {source.add_text(record["positive"]): 1}
    return source


READERS: Mapping[str, Callable[[Path], JudgedCollection]] = {
    "msmarco-mini": lambda folder: _with_dev(
        _collection(
            folder / "msmarco-mini", corpus="collection.tsv", queries="queries.train.tsv", qrels="qrels.train.tsv"
        ),
        folder / "msmarco-mini",
    ),
    "trec-dl-2021": lambda folder: _collection(
        folder / "trec-dl-2021", corpus="corpus.jsonl", queries="queries.tsv", qrels="qrels.txt", run=SPLADE_RUN
    ),
    "trec-dl-2022": lambda folder: _collection(
        folder / "trec-dl-2022", corpus="corpus.jsonl", queries="queries.tsv", qrels=None, run=SPLADE_RUN
    ),
    "nfcorpus": lambda folder: _collection(
        folder / "nfcorpus", corpus="corpus.jsonl", queries="queries.tsv", qrels="qrels.train.txt"
    ),
    "medquad": lambda folder: _collection(
        folder / "medquad", corpus="corpus.jsonl", queries="queries.tsv", qrels="qrels.txt"
    ),
    "qa-sentences": lambda folder: _candidate_lists(folder / "qa/wikiqa.train.jsonl", folder / "qa/trecqa.train.jsonl"),
    "squad": lambda folder: _answer_sentences(
        folder / "qa/squad-sentences.dev.jsonl", folder / "qa/squad-sentences.test.jsonl"
    ),
}
