"""What ships on lists of other collections: each row is the measure of that order, and the default is the mixture."""

import json
from dataclasses import replace
from pathlib import Path
from statistics import fmean

import pytest

from benchmarks.lists import BM25, DEFAULT, answered, measured, table
from benchmarks.shipped import COSINE, mixture
from indexing.words.analyzers import analyzer_for
from search.served import LATE, SHIPPED
from search.served_settings import OWN_DEFAULT
from search.trec import read_run
from training.data.list_folder import lay_out_lists
from training.evaluation.candidates import Candidates, ndcg


@pytest.fixture(scope="module")
def lists(tmp_path_factory: pytest.TempPathFactory) -> Candidates:
    folder = tmp_path_factory.mktemp("lists")
    rows = [
        {"qid": "1", "query": "why do cats purr", "candidates": labelled("Dogs bark.", "Purring soothes a cat.")},
        {
            "qid": "2",
            "query": "how is bread made",
            "candidates": labelled("Bees make honey.", "Flour and yeast make it."),
        },
    ]
    (folder / "lists.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    lay_out_lists(folder / "lists.jsonl", folder / "laid-out", analyzer=analyzer_for("english"))
    return Candidates.read(folder / "laid-out", depth=10)


def labelled(irrelevant: str, relevant: str) -> list[dict[str, object]]:
    return [{"text": irrelevant, "label": 0}, {"text": relevant, "label": 1}]


def test_rows_are_the_measure_of_each_order(lists: Candidates, tmp_path: Path) -> None:
    row = measured(lists, "two queries", tmp_path)
    kept = {path.name.split(".")[1]: read_run(path) for path in tmp_path.glob("*.trec")}
    assert set(kept) == {COSINE, LATE, SHIPPED}
    orders = {BM25: lists.run, **kept, DEFAULT: mixture(kept[SHIPPED], kept[COSINE], share=OWN_DEFAULT.rerank_weight)}
    expected = {name: fmean(ndcg(run, lists).values()) for name, run in orders.items()}
    assert {name: figures["mean"] for name, figures in row["nDCG@10"].items()} == pytest.approx(expected)
    by_pair = {(pair["system"], pair["baseline"]): pair["difference"] for pair in row["differences"]}
    assert by_pair[DEFAULT, BM25] == pytest.approx(expected[DEFAULT] - expected[BM25])
    assert row["queries"] == 2
    assert row["passages"] == 4


def test_queries_without_an_answer_are_left_out(lists: Candidates) -> None:
    first, second = lists.queries
    unanswered = {**lists.qrels, first.id: dict.fromkeys(lists.qrels[first.id], 0)}
    left = answered(replace(lists, qrels=unanswered))
    assert left.queries == (second,)
    assert set(left.qrels) == set(left.run) == {second.id}
    assert answered(lists).queries == lists.queries


def test_a_set_is_one_table_and_a_line_a_pair() -> None:
    row = {
        "name": "wikiqa",
        "queries": 1_026,
        "passages": 9_000,
        "nDCG@10": {"BM25": {"mean": 0.5, "interval": [0.45, 0.55]}},
        "differences": [{"system": "default", "baseline": "BM25", "difference": -0.01, "interval": [-0.02, 0.0]}],
    }
    lines = list(table(row))
    assert "**wikiqa** (1,026 queries, 9,000 passages)" in lines[0]
    assert "| BM25 | 0.5000 | 0.450 to 0.550 |" in lines
    assert lines[-1] == "default against BM25: -0.0100 [-0.020 to 0.000]"
