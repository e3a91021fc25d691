"""A re-ranker's scores, kept in memory for pairs that come again, as where a depth or a share changes."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from typing import NamedTuple

import numpy as np

from indexing.store.tokens import TokenIds
from search.rerank.reranker import Reranker, Scores, StoredTokens, WrappedReranker, score_passages

MOST_KEPT = 50_000  # pairs; each takes about 200 bytes


NOTHING_NEW = Scores(np.empty(0, dtype=np.float32), seconds={"re-rank": 0.0})


class KeptScore(NamedTuple):
    """What the model said of one pair."""

    logit: float
    truncated: bool


class RememberedScores(WrappedReranker):
    """A re-ranker that scores only the pairs it hasn't scored lately; the others have the scores that they had.

    A score depends a little on the passages that are computed with it, so both are equal up to rounding. Not for
    measuring time. One model, one cache: a version that is loaded anew begins with an empty one.
    """

    def __init__(self, reranker: Reranker, *, most: int = MOST_KEPT) -> None:
        super().__init__(reranker)
        self._most = most
        self._kept: OrderedDict[Hashable, KeptScore] = OrderedDict()  # the most recently used is last
        self.computed = 0
        """Pairs that were scored so far; those whose scores were kept aren't among them."""

    def score(self, query: str, passages: Sequence[str]) -> Scores:
        """A raw logit of each passage, computed now or kept. Raises ModelError as `score_passages` does."""
        keys = [(query, _digest(passage.encode("utf-8", errors="surrogatepass"))) for passage in passages]
        return self._scores(keys, lambda rows: score_passages(self._reranker, query, [passages[row] for row in rows]))

    def score_stored(self, query: str, tokens: Sequence[TokenIds]) -> Scores:
        """The same of passages by their stored token ids."""
        reranker = self._reranker
        if not isinstance(reranker, StoredTokens):
            raise TypeError(f"{self.name} can't read stored tokens")
        keys = [(query, "tokens", _digest(np.ascontiguousarray(ids).tobytes())) for ids in tokens]

        def compute(rows: list[int]) -> Scores:
            return score_passages(reranker, query, [""] * len(rows), tokens=[tokens[row] for row in rows])

        return self._scores(keys, compute)

    def _scores(self, keys: Sequence[Hashable], compute: Callable[[list[int]], Scores]) -> Scores:
        rows = {key: row for row, key in enumerate(keys) if key not in self._kept}
        new = compute(sorted(rows.values())) if rows else NOTHING_NEW
        self.computed += len(rows)
        for row, logit, truncated in zip(sorted(rows.values()), new.logits.tolist(), new.truncated, strict=True):
            self._kept[keys[row]] = KeptScore(logit, truncated)
        found = [self._kept[key] for key in keys]
        for key in keys:
            self._kept.move_to_end(key)
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)
        logits = np.array([score.logit for score in found], dtype=np.float32)  # (passages,) float32
        return Scores(logits, tuple(score.truncated for score in found), new.seconds)


def _digest(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=16).digest()
