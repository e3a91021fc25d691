"""Long work takes the searches' lock query by query: a search waits for one query at most."""

import threading
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

import numpy as np
import pytest

from app.resources import SharedPipeline
from app.turns import PatientPipeline, patient
from search.pipeline import RetrieveAndRerank
from search.rerank.reranker import PairScorer, Scores
from search.settings import PipelineSettings
from tests.support.fakes import FixedReranker, WordOverlapReranker

SETTINGS = PipelineSettings(depth=5, rerank_depth=5)


class SlowReranker(WordOverlapReranker):
    """Takes a while, and notices if two threads ask it at once."""

    def __init__(self) -> None:
        super().__init__()
        self.inside = 0
        self.most = 0

    def score(self, query: str, passages: Sequence[str]) -> Scores:
        self.inside += 1
        self.most = max(self.most, self.inside)
        time.sleep(0.01)
        found = super().score(query, passages)
        self.inside -= 1
        return found


@pytest.fixture
def opened(pipeline: RetrieveAndRerank) -> SharedPipeline:
    return SharedPipeline(RetrieveAndRerank(pipeline.index, pipeline.encoder, SlowReranker()), "fingerprint", "")


def test_it_answers_as_the_pipeline_does(opened: SharedPipeline) -> None:
    waiting = PatientPipeline(opened.pipeline)
    ours, theirs = waiting.search("honey", SETTINGS), opened.pipeline.search("honey", SETTINGS)
    assert ours.final.passage_ids == theirs.final.passage_ids
    assert waiting.reranker is not None
    assert waiting.reranker.name == "word overlap"
    assert (waiting.index, waiting.encoder) == (opened.pipeline.index, opened.pipeline.encoder)
    assert not isinstance(waiting, RetrieveAndRerank)  # it wraps a pipeline; the library never calls up into the app


def test_without_a_reranker_there_is_none(pipeline: RetrieveAndRerank) -> None:
    bare = RetrieveAndRerank(pipeline.index, pipeline.encoder, None)
    assert PatientPipeline(bare).reranker is None


def test_searches_come_between_two_queries_of_long_work(opened: SharedPipeline) -> None:
    slow = opened.pipeline.reranker
    assert isinstance(slow, SlowReranker)
    waiting, over = PatientPipeline(opened.pipeline), threading.Event()

    def work() -> None:
        while not over.is_set():
            waiting.search("bread", SETTINGS)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        waits = []
        for _ in range(10):
            before = len(slow.asked)
            opened.search("honey", SETTINGS)
            waits.append(len(slow.asked) - before - 1)  # queries of the work that were answered in between
            time.sleep(0.005)
    finally:
        over.set()
        thread.join()
    assert slow.most == 1
    assert sorted(waits)[5] <= 2  # one that was going on, and one that began before this thread was woken


def test_a_reranker_alone_waits_too(opened: SharedPipeline) -> None:
    slow = opened.pipeline.reranker
    assert isinstance(slow, SlowReranker)
    waiting = patient(slow)
    texts = ["honey", "bread"]
    threads = [threading.Thread(target=waiting.score, args=("honey", texts)) for _ in range(3)]
    for thread in threads:
        thread.start()
    opened.search("honey", SETTINGS)
    for thread in threads:
        thread.join()
    assert slow.most == 1
    assert np.array_equal(waiting.score("honey", texts).logits, [1, 0])
    assert not isinstance(waiting, PairScorer)  # it scores one query at a time, as the one that waits


def test_pairs_of_many_queries_wait_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    turns: list[bool] = []
    monkeypatch.setattr("app.turns.turn", lambda: counted(turns))
    waiting = patient(FixedReranker({"honey": 1.0, "bread": 0.0}))
    assert isinstance(waiting, PairScorer)
    assert waiting.score_pairs(["bees", "rye"], ["bread", "honey"]).tolist() == [0, 1]
    assert len(turns) == 1


def counted(turns: list[bool]) -> AbstractContextManager[None]:
    turns.append(True)
    return nullcontext()
