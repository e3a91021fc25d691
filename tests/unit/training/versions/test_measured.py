"""What was measured is used again for the same files, queries and lists, and for nothing else."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from indexing.records import PassageId, Query, QueryId, Ranking
from search.rerank.reranker import Reranker
from tests.support.fakes import WordOverlapReranker
from training.evaluation.candidates import Candidates
from training.versions.measured import measured_run

TEXTS = {PassageId("a"): "bees make honey", PassageId("b"): "wasps", PassageId("c"): "how bees make wax"}
pytestmark = pytest.mark.usefixtures("in_float32")


class Bench:
    """A version's folder, three passages for one query, and how often a model was opened."""

    def __init__(self, folder: Path) -> None:
        self.version, self.kept = folder / "mine/1", folder / "kept"
        self.version.mkdir(parents=True)
        (self.version / "model.safetensors").write_bytes(b"weights")
        self.opened = 0
        self.told: list[str] = []
        query = Query(QueryId("1"), "how do bees make honey")
        run = {query.id: Ranking.sort([(passage, -float(rank)) for rank, passage in enumerate(TEXTS)])}
        self.lists = Candidates((query,), {query.id: {PassageId("a"): 1}}, run, TEXTS)

    def _open(self) -> Reranker:
        self.opened += 1
        return WordOverlapReranker()

    def run(self, lists: Candidates | None = None) -> dict[QueryId, Ranking]:
        found = measured_run(
            self.version, lists or self.lists, self._open, kept_in=self.kept, name="mine/1", note=self.told.append
        )
        return dict(found)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_the_same_is_measured_once_and_the_second_time_says_when(bench: Bench) -> None:
    first = bench.run()
    assert (bench.opened, bench.told) == (1, [])
    assert bench.run() == first
    assert bench.opened == 1
    (sentence,) = bench.told
    assert sentence.startswith("mine/1 was measured on 20")
    assert sentence.endswith(" UTC with the same files, queries and build; this is used again.")


def test_other_files_other_texts_and_other_scores_are_measured_anew(bench: Bench) -> None:
    bench.run()
    (query,) = bench.lists.queries
    bench.run(replace(bench.lists, texts={**TEXTS, PassageId("b"): "wasps make honey"}))
    assert bench.opened == 2
    lists = bench.lists.run[query.id]
    bench.run(replace(bench.lists, run={query.id: Ranking(lists.passage_ids, lists.scores - 1)}))
    assert bench.opened == 3
    bench.run(replace(bench.lists, run={query.id: lists.top(2)}))  # another depth
    assert bench.opened == 4
    (bench.version / "model.safetensors").write_bytes(b"WEIGHTS")
    bench.run()
    assert bench.opened == 5
    assert bench.told == []


def test_other_judgments_need_no_new_measurement(bench: Bench) -> None:
    bench.run()
    (query,) = bench.lists.queries
    bench.run(replace(bench.lists, qrels={query.id: {PassageId("c"): 3}}))  # the order doesn't depend on them
    assert bench.opened == 1


def test_a_file_that_was_changed_is_not_believed(bench: Bench) -> None:
    first = bench.run()
    (path,) = bench.kept.iterdir()
    values = json.loads(path.read_text())
    values["run"]["1"][1].reverse()
    for content in (json.dumps(values), "{", "[]", ""):
        path.write_text(content)
        before = bench.opened
        assert bench.run() == first
        assert bench.opened == before + 1
    assert bench.told == []


def test_where_nothing_can_be_kept_it_is_measured_all_the_same(bench: Bench) -> None:
    bench.kept.write_text("a file where a folder should be")
    assert bench.run() == bench.run()
    assert bench.opened == 2
