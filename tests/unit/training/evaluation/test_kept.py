"""A stopped evaluation goes on where it was, and gives the figures of one that wasn't stopped."""

import os
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from indexing.records import Query
from search.pipeline import RetrieveAndRerank
from search.rerank.reranker import Scores
from tests.conftest import QUERIES, write_lines
from tests.support.fakes import WordOverlapReranker
from training.evaluation.evaluate import evaluate_stages
from training.evaluation.inputs import read_inputs
from training.evaluation.kept import STALE_SECONDS, KeptSearches
from training.evaluation.settings import EvaluationRequest, EvaluationSettings

REQUEST = EvaluationRequest(depth=20)
TEXTS = [*QUERIES["dev"].values(), *QUERIES["test"].values()]


class StoppedError(Exception):
    """Stands for the end of a process."""


class StoppingReranker(WordOverlapReranker):
    """A re-ranker that stops the process at one query."""

    def __init__(self, stop: str) -> None:
        super().__init__()
        self._stop = stop

    def score(self, query: str, passages: Sequence[str]) -> Scores:
        if query == self._stop:
            raise StoppedError
        return super().score(query, passages)


def keep(folder: Path, said: list[str]) -> KeptSearches:
    return KeptSearches(folder, "word overlap", said.append)


@pytest.mark.parametrize("stop", TEXTS)
def test_a_stopped_evaluation_goes_on(pipeline: RetrieveAndRerank, tmp_path: Path, stop: str) -> None:
    said: list[str] = []
    stopping = RetrieveAndRerank(pipeline.index, pipeline.encoder, StoppingReranker(stop))
    with pytest.raises(StoppedError):
        evaluate_stages(stopping, REQUEST, keep=keep(tmp_path, said))
    reranker = WordOverlapReranker()
    again = RetrieveAndRerank(pipeline.index, pipeline.encoder, reranker)
    kept = keep(tmp_path, said)
    found = evaluate_stages(again, REQUEST, keep=kept)
    assert [query for query, _ in reranker.asked] == TEXTS[TEXTS.index(stop) :]
    whole = evaluate_stages(pipeline, REQUEST)
    assert [report.runs for report in found.reports] == [report.runs for report in whole.reports]
    assert found.shares == whole.shares
    assert bool(said) is (stop != TEXTS[0])
    kept.forget()
    assert list(tmp_path.iterdir()) == []


def test_another_depth_isnt_mixed_with_what_was_kept(pipeline: RetrieveAndRerank, tmp_path: Path) -> None:
    evaluate_stages(pipeline, REQUEST, keep=keep(tmp_path, []))
    reranker = WordOverlapReranker()
    again = RetrieveAndRerank(pipeline.index, pipeline.encoder, reranker)
    evaluate_stages(again, EvaluationRequest(depth=5), keep=keep(tmp_path, []))
    assert len(reranker.asked) == len(TEXTS)


def test_where_nothing_can_be_kept_it_is_said_and_evaluated(pipeline: RetrieveAndRerank, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    said: list[str] = []
    found = evaluate_stages(pipeline, REQUEST, keep=keep(tmp_path / "file", said))
    assert len(found.reports) == 1
    assert "What is searched can't be kept" in said[0]


def test_what_nobody_came_back_to_is_deleted(pipeline: RetrieveAndRerank, tmp_path: Path) -> None:
    old, new = (write_lines(tmp_path / name, ["x"]) for name in ("old.jsonl", "new.jsonl"))
    long_ago = time.time() - STALE_SECONDS - 60
    os.utime(old, (long_ago, long_ago))
    evaluate_stages(pipeline, REQUEST, keep=keep(tmp_path, []))
    assert not old.exists()
    assert new.exists()


def test_of_more_than_there_is_room_for_the_oldest_goes(tmp_path: Path) -> None:
    paths = [write_lines(tmp_path / f"{name}.jsonl", ["x" * 99]) for name in ("old", "new")]
    now = time.time()
    for path, age in zip(paths, (90, 60), strict=True):
        os.utime(path, (now - age, now - age))
    with KeptSearches(tmp_path, "word overlap", most_bytes=150).open("third", {}) as journal:
        assert journal is not None
    assert [path.exists() for path in paths] == [False, True]


def test_another_measure_of_what_was_searched_needs_no_search(pipeline: RetrieveAndRerank, tmp_path: Path) -> None:
    said: list[str] = []
    evaluate_stages(pipeline, REQUEST, keep=keep(tmp_path, said))
    assert said == []
    reranker = WordOverlapReranker()
    again = RetrieveAndRerank(pipeline.index, pipeline.encoder, reranker)
    request = replace(REQUEST, settings=EvaluationSettings(measure="MRR@10", baseline="dense"))
    found = evaluate_stages(again, request, keep=keep(tmp_path, said))
    assert reranker.asked == []
    assert [sentence.partition(" were ")[0] for sentence in said] == [
        "The lists and times of 1 query of small, dev",
        "The lists and times of 2 queries of small, test",
    ]
    assert found.as_json() == evaluate_stages(pipeline, request, keep=keep(tmp_path, said)).as_json()


def test_what_is_read_before_the_models_is_what_is_evaluated(pipeline: RetrieveAndRerank) -> None:
    inputs = read_inputs(pipeline.index, REQUEST)
    assert [query.text for query in inputs.judged.judged.queries] == list(QUERIES["test"].values())
    assert inputs.dev is not None
    assert inputs.dev.judged.queries == (Query(inputs.dev.judged.queries[0].id, QUERIES["dev"]["3"]),)
    assert evaluate_stages(pipeline, REQUEST, inputs=inputs).reports[0].notes == inputs.notes == ()
