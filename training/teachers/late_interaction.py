"""Late interaction as a teacher: it compares the bi-encoder's token vectors one by one."""

from collections import OrderedDict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from indexing.dense.encoder import BiEncoder
from indexing.records import Floats
from search.rerank.late_interaction import late_logits
from training.example import Example

CACHE_BYTES = 3 << 30  # of token vectors, for passages that are scored again: about 50,000 of MS MARCO's


class LateInteractionTeacher:
    """The logits of late interaction, as `search.rerank.late_interaction` computes them, with a cache of passages."""

    def __init__(self, encoder: BiEncoder, *, cache_bytes: int = CACHE_BYTES) -> None:
        """Up to `cache_bytes` of token vectors stay in memory, those of the passages scored most recently."""
        self._encoder = encoder
        self._most_bytes = cache_bytes
        self._cache: OrderedDict[str, NDArray[np.float16]] = OrderedDict()  # the most recently scored is last
        self._cached_bytes = 0

    def scores(self, examples: Sequence[Example]) -> list[Floats]:
        """Late-interaction logits, (passages,) float32 for each example."""
        queries = self._encoder.encode_query_tokens([example.query for example in examples])  # (tokens, dim) each
        tokens = self._tokens(list(dict.fromkeys(text for example in examples for text in example.passages)))
        return [
            late_logits(query, [tokens[text] for text in example.passages])
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
