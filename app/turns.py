"""Lets long work run beside searches: it takes their lock for as many texts as one search reads, again and again."""

import time
from collections.abc import Callable, Iterator, Sequence, Sized
from contextlib import contextmanager
from typing import TypeVar

import numpy as np

from app.resources import one_at_a_time
from indexing.dense.encoder import BiEncoder
from indexing.index import Index
from indexing.models.long_text import Cut
from indexing.progress import Progress, silent
from indexing.records import Floats
from indexing.store.tokens import TokenIds
from search.pipeline import RetrieveAndRerank
from search.rerank.late_interaction import LateInteractionReranker
from search.rerank.reranker import PAIRS_AT_ONCE, PairScorer, Reranker, Scores, StoredTokens, WrappedReranker
from search.retrieve import FirstStage
from search.settings import PipelineSettings
from search.trace import SearchTrace

T = TypeVar("T")
S = TypeVar("S", bound=Sized)
PAUSE = 0.002  # seconds between two turns, so that a waiting search can take the lock: Python's locks aren't fair


@contextmanager
def turn() -> Iterator[None]:
    """Hold the lock that every search takes, after letting others have it first."""
    time.sleep(PAUSE)
    with one_at_a_time:
        yield


def _blocks(texts: Sequence[Sized]) -> Iterator[list[int]]:
    """Rows of at most PAIRS_AT_ONCE texts, or token ids, of similar length: a batch of these has little padding."""
    order = sorted(range(len(texts)), key=lambda row: len(texts[row]))
    for start in range(0, len(order), PAIRS_AT_ONCE):
        yield order[start : start + PAIRS_AT_ONCE]


class PatientEncoder(BiEncoder):
    """A bi-encoder, shared with the searches, that waits for its turn before each block of texts."""

    def __init__(self, encoder: BiEncoder) -> None:
        """Loads nothing: whatever it is asked, `encoder` computes."""
        self._encoder = encoder
        self.name = encoder.name
        self.fingerprint = encoder.fingerprint

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return self._encoder.dim

    @property
    def precision(self) -> str:
        """Number format in which passages are encoded."""
        return self._encoder.precision

    @property
    def has_tokens(self) -> bool:
        """Whether it has vectors of tokens."""
        return self._encoder.has_tokens

    def check_tokens(self) -> None:
        """Raise ModelError if it has no vectors of tokens."""
        self._encoder.check_tokens()

    def encode_query(self, text: str) -> Floats:
        """One query's vector, (dim,) float32, as the bi-encoder computes it."""
        with turn():
            return self._encoder.encode_query(text)

    def encode_queries(self, texts: Sequence[str]) -> Floats:
        """The queries' vectors, (queries, dim) float32."""
        return self._vectors(texts, self._encoder.encode_queries)

    def encode_passage(self, text: str) -> Floats:
        """One passage's vector, (dim,) float32."""
        with turn():
            return self._encoder.encode_passage(text)

    def encode_passages(self, texts: Sequence[str], *, progress: Progress = silent) -> Floats:
        """The texts' vectors, (texts, dim) float32."""
        return self._vectors(texts, self._encoder.encode_passages, progress)

    def encode_tokens(self, texts: Sequence[str]) -> list[Floats]:
        """The vectors of each text's tokens, (tokens, dim) float32. Raises ModelError as the bi-encoder does."""
        return self._each(texts, self._encoder.encode_tokens)

    def encode_query_tokens(self, texts: Sequence[str]) -> list[Floats]:
        """The same of queries."""
        return self._each(texts, self._encoder.encode_query_tokens)

    def cuts(self, texts: Sequence[str]) -> list[bool]:
        """Whether the model reads only the beginning of each text."""
        return self._each(texts, self._encoder.cuts)

    def query_cut(self, text: str) -> Cut | None:
        """How much of a query the model reads; None if all of it."""
        with turn():
            return self._encoder.query_cut(text)

    def close(self) -> None:
        """Nothing to end here: the bi-encoder is shared."""

    def _vectors(
        self, texts: Sequence[str], encode: Callable[[Sequence[str]], Floats], progress: Progress = silent
    ) -> Floats:
        vectors = np.empty((len(texts), self.dim), dtype=np.float32)  # (texts, dim) float32
        for rows in _blocks(texts):
            with turn():
                vectors[rows] = encode([texts[row] for row in rows])
            progress("encode", len(rows), len(texts))
        return vectors

    @staticmethod
    def _each(texts: Sequence[str], compute: Callable[[Sequence[str]], list[T]]) -> list[T]:
        found: dict[int, T] = {}
        for rows in _blocks(texts):
            with turn():
                found.update(zip(rows, compute([texts[row] for row in rows]), strict=True))
        return [found[row] for row in range(len(texts))]


class PatientReranker(WrappedReranker):
    """A re-ranker that waits for its turn before each block of a query's passages."""

    def score(self, query: str, passages: Sequence[str]) -> Scores:
        """Score the passages while holding the lock. Raises what the wrapped re-ranker raises."""
        return _in_turns(passages, lambda block: self._reranker.score(query, block))

    def score_stored(self, query: str, tokens: Sequence[TokenIds]) -> Scores:
        """The same by stored token ids."""
        reranker = self._reranker
        if not isinstance(reranker, StoredTokens):
            raise TypeError(f"{self.name} can't read stored tokens")
        return _in_turns(tokens, lambda block: reranker.score_stored(query, block))

    def query_cut(self, query: str) -> Cut | None:
        """How much of a query the wrapped re-ranker reads, asked while holding the lock."""
        with turn():
            return super().query_cut(query)


class PatientPairScorer(PatientReranker):
    """One that scores pairs of many queries at once."""

    def __init__(self, reranker: Reranker, scorer: PairScorer) -> None:
        """Both are the same re-ranker."""
        super().__init__(reranker)
        self._scorer = scorer

    def score_pairs(self, queries: Sequence[str], passages: Sequence[str]) -> Floats:
        """(pairs,) float32 raw logits, scored while holding the lock. Raises what the wrapped re-ranker raises."""
        logits = np.empty(len(passages), dtype=np.float32)  # (pairs,) float32
        for rows in _blocks(passages):
            with turn():
                logits[rows] = self._scorer.score_pairs([queries[row] for row in rows], [passages[row] for row in rows])
        return logits


def _in_turns(passages: Sequence[S], score: Callable[[Sequence[S]], Scores]) -> Scores:
    """The scores of one query's passages, a block a turn; one of a wrong shape ends it, for the caller to refuse."""
    logits = np.empty(len(passages), dtype=np.float32)  # (passages,) float32
    truncated = [False] * len(passages)
    seconds: dict[str, float] = {}
    for rows in _blocks(passages):
        with turn():
            start = time.perf_counter()
            found = score([passages[row] for row in rows])
            spent = found.seconds or {"re-rank": time.perf_counter() - start}
        if np.shape(found.logits) != (len(rows),):
            return found
        logits[rows] = found.logits
        for row, cut in zip(rows, found.truncated, strict=False):  # empty if none was cut
            truncated[row] = cut
        for step, elapsed in spent.items():
            seconds[step] = seconds.get(step, 0.0) + elapsed
    return Scores(logits, tuple(truncated), seconds)


def patient(reranker: Reranker) -> Reranker:
    """The re-ranker, waiting for its turn."""
    if isinstance(reranker, LateInteractionReranker):  # a search reads the index's token vectors where it is that
        return LateInteractionReranker(PatientEncoder(reranker.encoder), called=reranker.name)
    if isinstance(reranker, PairScorer):
        return PatientPairScorer(reranker, reranker)
    return PatientReranker(reranker)


class PatientPipeline:
    """A pipeline, shared with the searches, that waits for its turn before each first stage and each block it reads."""

    def __init__(self, pipeline: RetrieveAndRerank) -> None:
        self._pipeline = pipeline
        reranker = None if pipeline.reranker is None else patient(pipeline.reranker)
        encoder = PatientEncoder(pipeline.encoder)
        self._reading = RetrieveAndRerank(pipeline.index, encoder, reranker, settings=pipeline.settings)

    @property
    def index(self) -> Index:
        """The index that is searched."""
        return self._pipeline.index

    @property
    def encoder(self) -> BiEncoder:
        """The bi-encoder that the index was built with, which waits for its turn too."""
        return self._reading.encoder

    @property
    def reranker(self) -> Reranker | None:
        """The pipeline's re-ranker, which waits for its turn too."""
        return self._reading.reranker

    def search(self, query: str, settings: PipelineSettings | None = None) -> SearchTrace:
        """Answer one query, holding the lock for a part at a time. Raises what the wrapped pipeline raises."""
        settings = settings or self._pipeline.settings
        return self._reading.rerank(self.retrieve(query, settings), settings)

    def retrieve(self, query: str, settings: PipelineSettings | None = None) -> FirstStage:
        """Run the first stage while holding the lock. Raises what the wrapped pipeline raises."""
        with turn():
            return self._pipeline.retrieve(query, settings)
