"""A cross-encoder scores each passage against the query; ranking is by its raw logits in float32."""

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from sentence_transformers import CrossEncoder
from torch.nn import Linear

from indexing import precision
from indexing.errors import ModelError
from indexing.pretrained import load_quietly, loading_error, reach_hub
from indexing.records import Floats
from indexing.store.tokens import TokenIds, tokenizer_fingerprint
from search.rerank.first_token import compute_first_token_only
from search.rerank.pairs import EncodedPairs, encode_pairs, encode_stored, reads_stored
from search.rerank.reranker import Scores

TOKEN_BUDGET = 4096  # tokens in one batch, padding included
log = logging.getLogger(__name__)


class CrossEncoderReranker:
    """Any sentence-transformers CrossEncoder with one output."""

    def __init__(self, name: str, *, called: str = "", max_length: int = 512, device: str | None = None) -> None:
        """Load by hub name or local path; `max_length` in tokens, at most what the model takes.

        `called` is what a person calls it, else the hub name or the last part of the path.

        Raises:
            HubError: the hub isn't reached or has no such model.
            ModelError: the folder holds no cross-encoder with one output.
        """
        load_quietly()
        reach_hub(name)
        self._device = device or precision.device()
        dtype = precision.fastest_dtype(self._device)
        try:
            self._model = CrossEncoder(
                name, device=self._device, model_kwargs={"dtype": dtype}, activation_fn=torch.nn.Identity()
            )
        except Exception as error:  # transformers raises OSError, ValueError, RuntimeError and its own
            raise loading_error("Re-ranker", name, error) from error
        if self._model.num_labels != 1:
            raise ModelError(f"{name} gives {self._model.num_labels} scores a pair; a re-ranker gives one.")
        linear = {name: part for name, part in self._model.named_modules() if isinstance(part, Linear)}
        heads = [name for name, part in linear.items() if part.out_features == 1]
        self._model.set_keep_in_fp32_modules(heads)  # in bfloat16 a logit has 8 bits, and passages tie
        compute_first_token_only(self._model)
        self._model.eval()
        self._name = called or (Path(name).name if Path(name).exists() else name)
        self.max_length = min(max_length, self._model.max_seq_length or max_length)
        stored = reads_stored(self._model.tokenizer, max_length=self.max_length)
        self._fingerprint = tokenizer_fingerprint(self._model.tokenizer) if stored else ""

    @property
    def name(self) -> str:
        """As it was called when it was opened: hub name, a version's id, or the last part of a local path."""
        return self._name

    @property
    def tokenizer_fingerprint(self) -> str:
        """Of its tokenizer; empty if it reads more tokens than are stored, or a passage's end."""
        return self._fingerprint

    def score(self, query: str, passages: Sequence[str]) -> Scores:
        """Raw logits of each passage. Raises ModelError where one is no finite number."""
        start = precision.clock(self._device)
        encoded = encode_pairs(self._model.tokenizer, [query] * len(passages), passages, max_length=self.max_length)
        return self._scores(encoded, start)

    def score_stored(self, query: str, tokens: Sequence[TokenIds]) -> Scores:
        """What `score` gives for the passages that have these token ids by this tokenizer.

        Raises:
            ModelError: a score is no finite number.
            SettingsError: this re-ranker can't read stored ids; its `tokenizer_fingerprint` is empty.
        """
        start = precision.clock(self._device)
        encoded = encode_stored(self._model.tokenizer, query, tokens, max_length=self.max_length)
        return self._scores(encoded, start)

    def _scores(self, encoded: EncodedPairs, start: float) -> Scores:
        encoded_at = precision.clock(self._device)
        logits = self._logits(encoded)
        seconds = {"tokenize": encoded_at - start, "re-rank": precision.clock(self._device) - encoded_at}
        return Scores(logits, tuple(encoded.truncated), seconds)

    def score_pairs(self, queries: Sequence[str], passages: Sequence[str]) -> Floats:
        """(pairs,) float32 raw logits of each passage for the query in the same place: many queries in full batches.

        Raises:
            ModelError: a score is no finite number.
        """
        return self._logits(encode_pairs(self._model.tokenizer, queries, passages, max_length=self.max_length))

    def _logits(self, encoded: EncodedPairs) -> Floats:
        """(pairs,) float32, finite; where the device's memory runs out, batches are halved until they fit."""
        budget = TOKEN_BUDGET
        while True:
            try:
                logits = self._forward(encoded, budget)
            except torch.cuda.OutOfMemoryError:
                if budget == 1:
                    raise ModelError("The GPU's memory is full even with one pair at a time; free some.") from None
                torch.cuda.empty_cache()
                budget //= 2
                log.warning("GPU memory is full: going on with batches of %d tokens", budget)
            else:
                if not np.isfinite(logits).all():
                    raise ModelError(f"Re-ranker {self._name} gave a score that is no number; choose another.")
                return logits

    def _forward(self, encoded: EncodedPairs, budget: int) -> Floats:
        logits = np.empty(len(encoded.ids), dtype=np.float32)  # (pairs,) float32
        with torch.inference_mode():
            for batch in encoded.batches(self._model.tokenizer, token_budget=budget):
                features = {name: tensor.to(self._device) for name, tensor in batch.features.items()}
                scores = self._model(features)["scores"].float().reshape(-1)  # (pairs in batch,)
                logits[batch.rows] = scores.cpu().numpy()
        return logits
