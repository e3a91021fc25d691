"""How long a search takes here, by those before it: so much for the first stage, and so much for each passage read."""

from collections import deque
from collections.abc import Sequence
from statistics import median

from indexing.store.tokens import TokenIds
from search.rerank.reranker import FromFiles, Reranker, Scores, StoredTokens, score_passages
from search.trace import SearchTrace

READING = ("tokenize", "re-rank")
"""The stages of a search that take longer the more passages are re-ranked."""
KEPT = 20  # searches
FEWEST = 5  # passages read; of fewer, what a call costs at least would be taken for the time of each


class Pace:
    """What the last searches of one pipeline took. Whoever searches holds the models' lock."""

    def __init__(self) -> None:
        self.read = 0
        """Passages that the re-ranker has read so far; those whose scores were kept aren't read again."""
        self._first_stage: deque[float] = deque(maxlen=KEPT)  # seconds
        self._passage: deque[float] = deque(maxlen=KEPT)  # seconds

    def observe(self, trace: SearchTrace, *, read: int) -> None:
        """Take the times of an answer for which the re-ranker read so many passages anew."""
        reading = sum(trace.seconds.get(stage, 0.0) for stage in READING)
        self._first_stage.append(sum(trace.seconds.values()) - reading)
        if read >= FEWEST:
            self._passage.append(reading / read)

    def predict(self, passages: int) -> float | None:
        """Seconds of a new search that re-ranks so many passages; None while nothing was measured."""
        if not self._first_stage or not self._passage:
            return None
        return median(tuple(self._first_stage)) + passages * median(tuple(self._passage))


class CountedReranker:
    """A re-ranker whose passages are counted as it reads them."""

    def __init__(self, reranker: Reranker, pace: Pace) -> None:
        self._reranker, self._pace = reranker, pace

    @property
    def name(self) -> str:
        """The model's name."""
        return self._reranker.name

    @property
    def tokenizer_fingerprint(self) -> str:
        """The model's; empty if it can't read stored tokens."""
        return self._reranker.tokenizer_fingerprint if isinstance(self._reranker, StoredTokens) else ""

    @property
    def files(self) -> str:
        """The model's folder or hub name; empty if it has none."""
        return self._reranker.files if isinstance(self._reranker, FromFiles) else ""

    def score(self, query: str, passages: Sequence[str]) -> Scores:
        """The model's scores. Raises ModelError as `score_passages` does."""
        self._pace.read += len(passages)
        return score_passages(self._reranker, query, passages)

    def score_stored(self, query: str, tokens: Sequence[TokenIds]) -> Scores:
        """The same of passages by their stored token ids."""
        self._pace.read += len(tokens)
        return score_passages(self._reranker, query, [""] * len(tokens), tokens=tokens)
