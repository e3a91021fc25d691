"""Long work takes the searches' lock a block at a time: a search waits for one block at most."""

import threading
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

import numpy as np
import pytest

from app.resources import SharedPipeline, one_at_a_time
from app.turns import PatientEncoder, PatientPipeline, patient
from indexing.dense.encoder import BiEncoder
from indexing.errors import ModelError
from indexing.models.long_text import Cut
from indexing.progress import Progress, silent
from indexing.records import Floats, Query, QueryId
from search.pipeline import RetrieveAndRerank
from search.rerank.late_interaction import LateInteractionReranker
from search.rerank.reranker import PAIRS_AT_ONCE, PairScorer, Scores, score_passages
from search.settings import PipelineSettings
from tests.support.fakes import FixedReranker, Reports, WordOverlapReranker
from training.evaluation.stages import retrieve_stages

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
    assert waiting.index is opened.pipeline.index
    assert isinstance(waiting.encoder, PatientEncoder)
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


def test_pairs_of_many_queries_wait_as_one(turns: list[bool]) -> None:
    waiting = patient(FixedReranker({"honey": 1.0, "bread": 0.0}))
    assert isinstance(waiting, PairScorer)
    assert waiting.score_pairs(["bees", "rye"], ["bread", "honey"]).tolist() == [0, 1]
    assert len(turns) == 1


class Encoder(BiEncoder):
    """Gives each text vectors of its length, and keeps how many texts it was given at once."""

    name = fingerprint = "lengths"
    dim, precision, has_tokens = 2, "float32", True

    def __init__(self) -> None:
        self.asked: list[int] = []

    def encode_queries(self, texts: Sequence[str]) -> Floats:
        self.asked.append(len(texts))
        return np.array([[len(text), 1] for text in texts], dtype=np.float32)

    def encode_passages(self, texts: Sequence[str], *, progress: Progress = silent) -> Floats:
        return self.encode_queries(texts)

    def encode_passage(self, text: str) -> Floats:
        return np.asarray(self.encode_queries([text])[0])

    def encode_tokens(self, texts: Sequence[str]) -> list[Floats]:
        return [row[None] for row in self.encode_queries(texts)]

    encode_query_tokens = encode_tokens

    def cuts(self, texts: Sequence[str]) -> list[bool]:
        return [len(text) > 3 for text in texts]

    def query_cut(self, text: str) -> Cut | None:
        return Cut(3, len(text)) if len(text) > 3 else None


TEXTS = ["honey" * (number % 7) + str(number) for number in range(2 * PAIRS_AT_ONCE + 1)]
"""Three blocks, of mixed lengths."""


def test_a_long_list_is_scored_in_blocks_between_which_others_have_their_turn(turns: list[bool]) -> None:
    fixed = FixedReranker({text: float(number) for number, text in enumerate(TEXTS)})
    waiting = patient(fixed)
    assert isinstance(waiting, PairScorer)
    assert waiting.score("honey", TEXTS).logits.tolist() == list(range(len(TEXTS)))
    assert len(turns) == 3
    assert waiting.score_pairs(TEXTS, TEXTS).tolist() == list(range(len(TEXTS)))
    assert len(turns) == 6
    words = patient(WordOverlapReranker()).score("honey", ["honey", "bread " * 41, "honey bread"])
    assert words.truncated == (False, True, False)
    assert words.seconds == {"tokenize": 0.0, "re-rank": 0.0}


def test_another_thread_has_a_turn_between_two_blocks() -> None:
    scored, waiting_for, found = threading.Event(), threading.Event(), list[int]()
    blocks: list[int] = []

    class Blocks(FixedReranker):
        def score(self, query: str, passages: Sequence[str]) -> Scores:
            blocks.append(len(passages))
            scored.set()
            waiting_for.wait(10)  # until the other thread is about to ask for its turn
            time.sleep(0.05)
            return super().score(query, passages)

    def other() -> None:
        scored.wait(10)
        waiting_for.set()
        with one_at_a_time:
            found.append(len(blocks))

    thread = threading.Thread(target=other)
    thread.start()
    patient(Blocks(dict.fromkeys(TEXTS, 0.0))).score("honey", TEXTS * 2)
    thread.join()
    assert blocks == [*[PAIRS_AT_ONCE] * 4, 2]
    assert found[0] < len(blocks)


def test_a_list_without_one_number_for_each_passage_is_refused_as_before(turns: list[bool]) -> None:
    class Short(FixedReranker):
        def score(self, query: str, passages: Sequence[str]) -> Scores:
            return Scores(np.zeros(1, dtype=np.float32))

    with pytest.raises(ModelError, match="it must give one number for each"):
        score_passages(patient(Short({})), "honey", TEXTS)


def test_the_bi_encoder_waits_before_each_block_too(turns: list[bool]) -> None:
    encoder = Encoder()
    waiting, said = PatientEncoder(encoder), Reports()
    expected = [[len(text), 1] for text in TEXTS]
    assert waiting.encode_passages(TEXTS, progress=said).tolist() == expected
    assert encoder.asked == said.counts == [PAIRS_AT_ONCE, PAIRS_AT_ONCE, 1]
    assert waiting.encode_queries(TEXTS).tolist() == expected
    assert [vectors.tolist() for vectors in waiting.encode_tokens(TEXTS)] == [[vector] for vector in expected]
    assert [vectors.tolist() for vectors in waiting.encode_query_tokens(["bee"])] == [[[3, 1]]]
    assert waiting.encode_query("bee").tolist() == waiting.encode_passage("bee").tolist() == [3, 1]
    assert waiting.cuts(["rye", "honey"]) == [False, True]
    assert waiting.query_cut("rye") is None
    assert waiting.query_cut("honey") == (3, 5)
    assert len(turns) == 3 + 3 + 3 + 1 + 2 + 1 + 2
    assert waiting.has_tokens
    assert (waiting.dim, waiting.precision, waiting.fingerprint) == (2, "float32", "lengths")


def test_nothing_of_the_bi_encoder_is_used_without_a_turn() -> None:
    """A method that was added to it, and not to the one that waits, would compute with no model at all."""
    assert {name for name in vars(BiEncoder) if not name.startswith("_")} <= vars(PatientEncoder).keys()


def test_an_evaluation_reads_in_turns_and_finds_what_it_found_before(
    pipeline: RetrieveAndRerank, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Late interaction included, for which the bi-encoder reads each passage's tokens."""
    queries = [Query(QueryId("1"), "honey"), Query(QueryId("2"), "bread")]
    expected = retrieve_stages(pipeline, queries, depth=20)
    held: list[bool] = []
    plain = BiEncoder.encode_tokens

    def watched(encoder: BiEncoder, texts: Sequence[str]) -> list[Floats]:
        held.append(one_at_a_time.locked())
        return plain(encoder, texts)

    monkeypatch.setattr(BiEncoder, "encode_tokens", watched)
    found = retrieve_stages(PatientPipeline(pipeline), queries, depth=20)
    assert held
    assert all(held)
    for name in ("bm25", "dense", "fused", "reranked", "cosine", "late"):
        ours, theirs = getattr(found, name), getattr(expected, name)
        assert {key: ranking.passage_ids for key, ranking in ours.items()} == {
            key: ranking.passage_ids for key, ranking in theirs.items()
        }, name
        assert all(np.allclose(ours[key].scores, theirs[key].scores, atol=1e-4) for key in theirs), name


def test_late_interaction_is_still_that_of_the_index(pipeline: RetrieveAndRerank) -> None:
    late = LateInteractionReranker(pipeline.encoder)
    waiting = PatientPipeline(RetrieveAndRerank(pipeline.index, pipeline.encoder, late))
    assert isinstance(waiting.reranker, LateInteractionReranker)
    assert isinstance(waiting.reranker.encoder, PatientEncoder)
    plain = RetrieveAndRerank(pipeline.index, pipeline.encoder, late)
    ours, theirs = waiting.search("honey", SETTINGS), plain.search("honey", SETTINGS)
    assert np.allclose(ours.final.scores, theirs.final.scores, atol=1e-4)


@pytest.fixture
def turns(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """A mark for each turn that was taken."""
    taken: list[bool] = []
    monkeypatch.setattr("app.turns.turn", lambda: counted(taken))
    return taken


def counted(turns: list[bool]) -> AbstractContextManager[None]:
    turns.append(True)
    return nullcontext()
