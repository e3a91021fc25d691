"""Late interaction as a teacher: it compares the bi-encoder's token vectors one by one."""

from collections import OrderedDict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from indexing.dense.encoder import BiEncoder
from indexing.records import Floats
from training.example import Example
from training.targets import LATE_SHARPNESS, late_as_logits

CACHE_BYTES = 3 << 30  # of token vectors, for passages that are scored again: about 50,000 of MS MARCO's


class LateInteractionTeacher:
    """How similar each token of the query is to its best match in the passage, by the bi-encoder's token vectors.

    Khattab and Zaharia 2020 take the nearest token; here a soft maximum gives the next ones a little weight, and the
    mean over the query's tokens is scaled to spread as widely as cosines do. Vectors that were trained only for their
    mean are good enough: on TREC DL 2021's BM25 lists they rank better than the cosine of the texts.
    """

    def __init__(self, encoder: BiEncoder, *, cache_bytes: int = CACHE_BYTES) -> None:
        """Up to `cache_bytes` of token vectors stay in memory, those of the passages scored most recently."""
        self._encoder = encoder
        self._most_bytes = cache_bytes
        self._cache: OrderedDict[str, NDArray[np.float16]] = OrderedDict()  # the most recently scored is last
        self._cached_bytes = 0

    def scores(self, examples: Sequence[Example]) -> list[Floats]:
        """Late-interaction logits, (passages,) float32 for each example."""
        queries = self._encoder.encode_tokens([example.query for example in examples])  # (tokens, dim) each
        tokens = self._tokens(list(dict.fromkeys(text for example in examples for text in example.passages)))
        return [
            np.array([late_interaction(query, tokens[text]) for text in example.passages], dtype=np.float32)
            for example, query in zip(examples, queries, strict=True)
        ]

    def _tokens(self, texts: Sequence[str]) -> dict[str, Floats]:
        """Token vectors of each text, (tokens, dim), rounded to float16 whether they come from the cache or not."""
        new = [text for text in texts if text not in self._cache]
        for text, vectors in zip(new, self._encoder.encode_tokens(new), strict=True):
            self._cache[text] = vectors.astype(np.float16)
            self._cached_bytes += self._cache[text].nbytes
        vectors_by_text = {}
        for text in texts:
            self._cache.move_to_end(text)
            vectors_by_text[text] = self._cache[text].astype(np.float32)
        while self._cached_bytes > self._most_bytes:
            _, oldest = self._cache.popitem(last=False)
            self._cached_bytes -= oldest.nbytes
        return vectors_by_text


def late_interaction(query: Floats, passage: Floats) -> float:
    """The logit of two (tokens, dim) arrays of unit vectors: soft maxima over the passage, mean over the query."""
    near = np.exp(LATE_SHARPNESS * (query @ passage.T)).sum(axis=1)  # (query tokens,), at most e^20 a token
    return late_as_logits(float(np.log(near).mean()) / LATE_SHARPNESS)
