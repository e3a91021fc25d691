"""The base of re-rankers that read encoded pairs, whatever computes the logits."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
from transformers import PreTrainedTokenizerBase

from indexing import precision
from indexing.errors import ModelError
from indexing.models.long_text import Cut
from indexing.records import Floats
from indexing.store.tokens import TokenIds, tokenizer_fingerprint
from search.rerank.pairs import EncodedPairs, encode_pairs, encode_stored, query_cut, reads_stored
from search.rerank.reranker import Scores

TOKEN_BUDGET = {"cpu": 1024, "cuda": 4096}
"""Tokens in one batch, padding included. On a CPU larger batches run no faster and are padded more: a search's 50
passages take a fifth longer with 4,096."""


class PairReranker(ABC):
    """Encodes pairs, has a subclass compute their logits, and rejects logits that aren't finite numbers."""

    def __init__(self, name: str, tokenizer: PreTrainedTokenizerBase, *, max_length: int, device: str = "cpu") -> None:
        """`max_length` in tokens, special ones included."""
        self._name = name
        self._tokenizer = tokenizer
        self._device = device
        self.files = ""
        """The path or hub name that it was loaded from."""
        self.max_length = max_length
        stored = reads_stored(tokenizer, max_length=max_length)
        self._fingerprint = tokenizer_fingerprint(tokenizer) if stored else ""

    @property
    def name(self) -> str:
        """The name it was opened with: a hub name, a version's id, or the last part of a local path."""
        return self._name

    @property
    def tokenizer_fingerprint(self) -> str:
        """Its tokenizer's fingerprint; empty if it reads more tokens than are stored, or a passage's end."""
        return self._fingerprint

    def score(self, query: str, passages: Sequence[str]) -> Scores:
        """Raw logits of each passage. Raises ModelError if one isn't a finite number."""
        start = precision.clock(self._device)
        encoded = encode_pairs(self._tokenizer, [query] * len(passages), passages, max_length=self.max_length)
        return self._scores(encoded, start)

    def score_stored(self, query: str, tokens: Sequence[TokenIds]) -> Scores:
        """The scores of the passages that have these token ids by this tokenizer, as from `score`.

        Raises:
            ModelError: a score isn't a finite number.
            SettingsError: this re-ranker can't read stored ids; its `tokenizer_fingerprint` is empty.
        """
        start = precision.clock(self._device)
        encoded = encode_stored(self._tokenizer, query, tokens, max_length=self.max_length)
        return self._scores(encoded, start)

    def score_pairs(self, queries: Sequence[str], passages: Sequence[str]) -> Floats:
        """(pairs,) float32 raw logits of each passage for the query in the same place: many queries in full batches.

        Raises:
            ModelError: a score isn't a finite number.
        """
        return self._finite_logits(encode_pairs(self._tokenizer, queries, passages, max_length=self.max_length))

    def query_cut(self, query: str) -> Cut | None:
        """How much of a query is read; None if all of it is."""
        return query_cut(self._tokenizer, query, max_length=self.max_length)

    @abstractmethod
    def _logits(self, encoded: EncodedPairs) -> Floats:
        """(pairs,) float32."""

    def _scores(self, encoded: EncodedPairs, start: float) -> Scores:
        encoded_at = precision.clock(self._device)
        logits = self._finite_logits(encoded)
        seconds = {"tokenize": encoded_at - start, "re-rank": precision.clock(self._device) - encoded_at}
        return Scores(logits, tuple(encoded.truncated), seconds)

    def _finite_logits(self, encoded: EncodedPairs) -> Floats:
        logits = self._logits(encoded)
        if not np.isfinite(logits).all():
            raise ModelError(f"Re-ranker {self._name} gave a score that isn't a finite number; choose another.")
        return logits
