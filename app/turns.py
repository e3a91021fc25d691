"""Lets long work run beside searches: it takes their lock query by query, or for as many pairs as one search reads."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from app.resources import one_at_a_time
from indexing.dense.encoder import BiEncoder
from indexing.index import Index
from indexing.records import Floats
from search.pipeline import Pipeline
from search.rerank.reranker import PairScorer, Reranker, Scores
from search.retrieve import FirstStage
from search.settings import PipelineSettings
from search.trace import SearchTrace

PAUSE = 0.002  # seconds between two queries, so that a waiting search can take the lock: Python's locks aren't fair


@contextmanager
def turn() -> Iterator[None]:
    """Hold the lock that every search takes, after letting others have it first."""
    time.sleep(PAUSE)
    with one_at_a_time:
        yield


class PatientReranker:
    """A re-ranker that waits for its turn before each query."""

    def __init__(self, reranker: Reranker) -> None:
        self._reranker = reranker

    @property
    def name(self) -> str:
        """The wrapped re-ranker's name."""
        return self._reranker.name

    def score(self, query: str, passages: Sequence[str]) -> Scores:
        """Score the passages while holding the lock. Raises what the wrapped re-ranker raises."""
        with turn():
            return self._reranker.score(query, passages)


class PatientPairScorer(PatientReranker):
    """One that scores pairs of many queries at once."""

    def __init__(self, reranker: Reranker, scorer: PairScorer) -> None:
        """Both are the same re-ranker."""
        super().__init__(reranker)
        self._scorer = scorer

    def score_pairs(self, queries: Sequence[str], passages: Sequence[str]) -> Floats:
        """(pairs,) float32 raw logits, scored while holding the lock. Raises what the wrapped re-ranker raises."""
        with turn():
            return self._scorer.score_pairs(queries, passages)


def patient(reranker: Reranker) -> Reranker:
    """The re-ranker, waiting for its turn."""
    if isinstance(reranker, PairScorer):
        return PatientPairScorer(reranker, reranker)
    return PatientReranker(reranker)


class PatientPipeline:
    """A pipeline, shared with the searches, that waits for its turn before each query."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._reranker = None if pipeline.reranker is None else patient(pipeline.reranker)

    @property
    def index(self) -> Index:
        """The index that is searched."""
        return self._pipeline.index

    @property
    def encoder(self) -> BiEncoder:
        """The bi-encoder that the index was built with."""
        return self._pipeline.encoder

    @property
    def reranker(self) -> Reranker | None:
        """The pipeline's re-ranker, which waits for its turn too."""
        return self._reranker

    def search(self, query: str, settings: PipelineSettings | None = None) -> SearchTrace:
        """Answer one query while holding the lock. Raises what the wrapped pipeline raises."""
        with turn():
            return self._pipeline.search(query, settings)

    def retrieve(self, query: str, settings: PipelineSettings | None = None) -> FirstStage:
        """Run the first stage while holding the lock. Raises what the wrapped pipeline raises."""
        with turn():
            return self._pipeline.retrieve(query, settings)
