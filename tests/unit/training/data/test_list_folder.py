"""Lists of judged candidates become a folder to re-rank, whose first stage is BM25 over all their passages."""

import json
import math
from pathlib import Path

import pytest

from indexing.errors import CorpusError, TrainingError
from indexing.records import QueryId
from indexing.words.analyzers import analyzer_for
from tests.conftest import write_lines
from training.data.list_folder import lay_out_best, lay_out_lists
from training.evaluation.candidates import Candidates

ENGLISH = analyzer_for("english")


def _line(key: str, query: str, grades: dict[str, int]) -> str:
    candidates = [{"text": text, "label": grade} for text, grade in grades.items()]
    return json.dumps({"query_id": key, "query": query, "candidates": candidates})


def test_folder_is_read_as_candidates_with_bm25_of_all_passages(tmp_path: Path) -> None:
    lists = write_lines(
        tmp_path / "lists.jsonl",
        [
            _line("7", "honey bees", {"honey bread bread": 0, "bees honey": 2, "nobody read it": -1}),
            _line("8", "bread", {"honey bread bread": 3, "stones": 0}),
        ],
    )
    assert lay_out_lists(lists, tmp_path / "out", analyzer=ENGLISH) == 2
    read = Candidates.read(tmp_path / "out")
    texts = {text: key for key, text in read.texts.items()}
    bees, bread = texts["bees honey"], texts["honey bread bread"]
    assert read.qrels == {"7": {bread: 0, bees: 2}, "8": {bread: 3, texts["stones"]: 0}}
    # 3 passages of 3, 2 and 1 terms, mean 2; df: honey 2, bees 1
    norm = 0.9 * (1 - 0.4 + 0.4 * 2 / 2)
    honey, bee = (math.log(1 + (3 - df + 0.5) / (df + 0.5)) for df in (2, 1))
    found = dict(zip(read.run[QueryId("7")].passage_ids, read.run[QueryId("7")].scores, strict=True))
    assert found[bees] == pytest.approx((honey + bee) / (1 + norm), rel=1e-5)
    assert read.run[QueryId("7")].passage_ids == (bees, bread)
    assert read.run[QueryId("8")].passage_ids[0] == bread


def test_best_passages_of_a_corpus_s_judged_queries_become_such_a_folder(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    write_lines(corpus / "collection.tsv", ["1\tbees make honey", "2\thoney cake", "3\tstones", "4\tbees and bees"])
    write_lines(corpus / "queries.dev.tsv", ["7\thoney bees", "8\tstones"])
    write_lines(corpus / "qrels.dev.tsv", ["7 0 3 1", "8 0 3 1"])
    assert lay_out_best(corpus, "dev", tmp_path / "out", analyzer=ENGLISH, depth=2) == 2
    read = Candidates.read(tmp_path / "out")
    assert {key: ranking.passage_ids for key, ranking in read.run.items()} == {"7": ("1", "4"), "8": ("3",)}
    assert read.qrels == {"7": {"3": 1}, "8": {"3": 1}}
    assert set(read.texts) == {"1", "3", "4"}


def test_files_that_hold_no_lists_are_refused_and_nothing_is_written(tmp_path: Path) -> None:
    unjudged = write_lines(tmp_path / "unjudged.jsonl", [_line("7", "honey", {"bees": -1})])
    with pytest.raises(TrainingError, match=r"No candidate of .* is judged"):
        lay_out_lists(unjudged, tmp_path / "out", analyzer=ENGLISH)
    twice = write_lines(tmp_path / "twice.jsonl", [_line("7", "honey", {"a": 1}), _line("7", "bees", {"b": 1})])
    with pytest.raises(CorpusError, match=r"twice\.jsonl:2: query id '7' isn't that of one query"):
        lay_out_lists(twice, tmp_path / "out", analyzer=ENGLISH)
    assert not (tmp_path / "out").exists()
