"""python -m benchmarks.words CORPUS ...: BM25 by new indexes' analyzer against that of indexes before they had one.

For each judged split beside each corpus: recall@100 and nDCG@10 of both, and their difference; and how many terms a
second each makes of the corpus, on one thread, best of several. Nothing is encoded.
"""

import argparse
import logging
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ir_measures
from ir_measures import R, nDCG

from indexing import atomic
from indexing.bm25.from_postings import PostingsBm25
from indexing.bm25.postings import write_postings
from indexing.bm25.settings import Bm25Settings
from indexing.corpus.corpus import Corpus
from indexing.judged.qrels import default_minimum_grade
from indexing.judged.sets import JudgedSet, judged_sets
from indexing.words.analyzer import Analyzer
from indexing.words.analyzers import analyzer_for
from indexing.words.detection import detect
from indexing.words.english_v1 import EnglishV1

ROUNDS = 5
DEPTH = 100
MOST_LOST = 0.002  # of recall


def main() -> None:
    """Measure, print, and write where asked; 1 if recall fell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpora", nargs="+", type=Path, metavar="CORPUS", help="folder of a corpus with judgments")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    rows = [row for corpus in options.corpora for row in _measured(corpus)]
    print("| corpus | split | queries | recall@100 before | now | | nDCG@10 before | now | | terms/s before | now |")
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    for row in rows:
        before, now = row["before"], row["now"]
        print(
            f"| {row['corpus']} | {row['split']} | {row['queries']} | {before['recall']:.4f} | {now['recall']:.4f} | "
            f"{now['recall'] - before['recall']:+.4f} | {before['ndcg']:.4f} | {now['ndcg']:.4f} | "
            f"{now['ndcg'] - before['ndcg']:+.4f} | {before['speed']:,.0f} | {now['speed']:,.0f} |"
        )
    if options.json is not None:
        atomic.write_json(options.json, {"depth": DEPTH, "rounds": ROUNDS, "rows": rows})
    raise SystemExit(any(row["now"]["recall"] < row["before"]["recall"] - MOST_LOST for row in rows))


def _measured(corpus: Path) -> list[dict[str, Any]]:
    """A row for each judged split of a corpus."""
    passages = list(Corpus(corpus))
    ids = [passage.id for passage in passages]
    texts = [passage.content for passage in passages]
    found = detect(texts)
    sets = judged_sets(corpus)
    rows = [{"corpus": corpus.name, "split": split, "queries": len(judged.queries)} for split, judged in sets.items()]
    for name, analyzer in {"before": EnglishV1(), "now": analyzer_for(found.language)}.items():
        with tempfile.TemporaryDirectory(prefix="second-look-words-") as folder:
            speed, bm25 = _indexed(analyzer, texts, Path(folder))
            for row, judged in zip(rows, sets.values(), strict=True):
                row[name] = {"analyzer": analyzer.fingerprint, "speed": speed, **_quality(analyzer, bm25, ids, judged)}
    return rows


def _indexed(analyzer: Analyzer, texts: Sequence[str], folder: Path) -> tuple[float, PostingsBm25]:
    """Terms a second, and BM25 over these texts."""
    seconds = []
    for _ in range(ROUNDS):
        begun = time.process_time()
        analyzed = analyzer.analyze(texts)
        seconds.append(time.process_time() - begun)
    write_postings(folder / "0.arrow", analyzed)
    return sum(map(len, analyzed)) / min(seconds), PostingsBm25(folder)


def _quality(analyzer: Analyzer, bm25: PostingsBm25, ids: Sequence[str], judged: JudgedSet) -> dict[str, float]:
    run: dict[str, dict[str, float]] = {}
    for query in judged.queries:
        rows, scores = bm25.search(analyzer.query_terms(query.text), Bm25Settings(), depth=DEPTH)
        run[query.id] = {ids[row]: float(score) for row, score in zip(rows.tolist(), scores, strict=True)}
    recall, ndcg = R(rel=default_minimum_grade(judged.qrels)) @ DEPTH, nDCG @ 10
    qrels = {query: dict(grades) for query, grades in judged.qrels.items()}
    values = ir_measures.calc_aggregate([recall, ndcg], qrels, run)
    return {"recall": values[recall], "ndcg": values[ndcg]}


if __name__ == "__main__":
    main()
