"""Long work beside searches: it takes the searches' lock query by query, so that no search waits for more than one."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from app.resources import Opened, one_at_a_time
from indexing.store.tokens import TokenIds
from search.pipeline import RetrieveAndRerank
from search.rerank.reranker import Reranker, Scores
from search.settings import PipelineSettings
from search.trace import SearchTrace

PAUSE = 0.002  # seconds between two queries, in which a search that waits takes the lock: locks here are not fair


@contextmanager
def turn() -> Iterator[None]:
    """Hold the lock that every search takes, after having let others have it."""
    time.sleep(PAUSE)
    with one_at_a_time:
        yield


class PatientReranker:
    """A re-ranker that waits for its turn before each query."""

    def __init__(self, reranker: Reranker) -> None:
        self._reranker = reranker

    @property
    def name(self) -> str:
        """What a person calls it."""
        return self._reranker.name

    @property
    def tokenizer_fingerprint(self) -> str:
        """Of the tokenizer whose stored ids it reads."""
        return self._reranker.tokenizer_fingerprint

    def score(self, query: str, passages: Sequence[str], *, tokens: Sequence[TokenIds] | None = None) -> Scores:
        """As the re-ranker itself does. Raises what it raises."""
        with turn():
            return self._reranker.score(query, passages, tokens=tokens)


class PatientPipeline(RetrieveAndRerank):
    """An open pipeline that waits for its turn before each query."""

    def __init__(self, opened: Opened) -> None:
        shared = opened.pipeline
        reranker = None if shared.reranker is None else PatientReranker(shared.reranker)
        super().__init__(shared.index, shared.encoder, reranker)
        self._shared = shared

    def search(self, query: str, settings: PipelineSettings) -> SearchTrace:
        """As the pipeline itself does. Raises what it raises."""
        with turn():
            return self._shared.search(query, settings)
