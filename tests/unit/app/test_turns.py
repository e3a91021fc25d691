"""Long work takes the searches' lock query by query: a search waits for one query at most."""

import threading
import time
from collections.abc import Sequence

import numpy as np
import pytest

from app.resources import SharedPipeline
from app.turns import PatientPipeline, PatientReranker
from search.pipeline import RetrieveAndRerank
from search.rerank.reranker import Scores
from search.settings import PipelineSettings
from tests.support.fakes import WordOverlapReranker

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
    patient = PatientPipeline(opened.pipeline)
    ours, theirs = patient.search("honey", SETTINGS), opened.pipeline.search("honey", SETTINGS)
    assert ours.final.passage_ids == theirs.final.passage_ids
    assert patient.reranker is not None
    assert patient.reranker.name == "word overlap"
    assert (patient.index, patient.encoder) == (opened.pipeline.index, opened.pipeline.encoder)
    assert not isinstance(patient, RetrieveAndRerank)  # it wraps a pipeline; the library never calls up into the app


def test_without_a_reranker_there_is_none(pipeline: RetrieveAndRerank) -> None:
    bare = RetrieveAndRerank(pipeline.index, pipeline.encoder, None)
    assert PatientPipeline(bare).reranker is None


def test_searches_come_between_two_queries_of_long_work(opened: SharedPipeline) -> None:
    slow = opened.pipeline.reranker
    assert isinstance(slow, SlowReranker)
    patient, over = PatientPipeline(opened.pipeline), threading.Event()

    def work() -> None:
        while not over.is_set():
            patient.search("bread", SETTINGS)

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
    patient = PatientReranker(slow)
    texts = ["honey", "bread"]
    threads = [threading.Thread(target=patient.score, args=("honey", texts)) for _ in range(3)]
    for thread in threads:
        thread.start()
    opened.search("honey", SETTINGS)
    for thread in threads:
        thread.join()
    assert slow.most == 1
    assert np.array_equal(patient.score("honey", texts).logits, [1, 0])
