"""Late interaction as a teacher: it compares the bi-encoder's token vectors one by one."""

from collections.abc import Sequence

from indexing.dense.encoder import BiEncoder
from indexing.records import Floats
from search.rerank.late_interaction import late_logits
from search.rerank.token_cache import TokenCache
from training.example import Example

CACHE_BYTES = 3 << 30  # of token vectors, for passages that are scored again: about 50,000 of MS MARCO's


class LateInteractionTeacher:
    """The logits of late interaction, as `search.rerank.late_interaction` computes them, with a cache of passages."""

    def __init__(self, encoder: BiEncoder, *, cache_bytes: int = CACHE_BYTES) -> None:
        """Up to `cache_bytes` of token vectors stay in memory, those of the passages scored most recently."""
        self._encoder = encoder
        self._cache = TokenCache(encoder, most_bytes=cache_bytes)

    def scores(self, examples: Sequence[Example]) -> list[Floats]:
        """Late-interaction logits, (passages,) float32 for each example."""
        queries = self._encoder.encode_query_tokens([example.query for example in examples])  # (tokens, dim) each
        tokens = self._cache.vectors([text for example in examples for text in example.passages])
        return [
            late_logits(query, [tokens[text] for text in example.passages])
            for example, query in zip(examples, queries, strict=True)
        ]
