"""A query and its passages become a cross-encoder's inputs; the one place where pairs are cut to length.

Training and serving both encode here, so that a model is served what it was trained on. Only the
passage is cut, never the query (unless the query alone is longer than QUERY_TOKENS).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from transformers import PreTrainedTokenizerBase

QUERY_TOKENS = 64  # a query is cut to these; MS MARCO's longest dev query has 38 words


@dataclass(frozen=True)
class Batch:
    """Some pairs, padded to the longest among them."""

    rows: list[int]
    """Places of these pairs in what was encoded."""
    features: dict[str, torch.Tensor]
    """(pairs, tokens) int64 each, as the tokenizer names them."""


@dataclass(frozen=True)
class EncodedPairs:
    """Token ids of pairs, not padded."""

    ids: list[dict[str, list[int]]]
    truncated: list[bool]
    """Whether the pair's passage was cut."""

    def batches(self, tokenizer: PreTrainedTokenizerBase, *, token_budget: int) -> Iterator[Batch]:
        """Batches of pairs of like length, longest first, each at most `token_budget` tokens with padding."""
        order = sorted(range(len(self.ids)), key=lambda row: -len(self.ids[row]["input_ids"]))
        start = 0
        while start < len(order):
            size = max(1, token_budget // len(self.ids[order[start]]["input_ids"]))
            rows = order[start : start + size]
            padded = tokenizer.pad([self.ids[row] for row in rows], return_tensors="pt")
            yield Batch(rows, dict(padded))
            start += size


def encode_pairs(
    tokenizer: PreTrainedTokenizerBase, queries: Sequence[str], passages: Sequence[str], *, max_length: int
) -> EncodedPairs:
    """Token ids of each (query, passage), at most `max_length` tokens with the special ones."""
    if not passages:
        return EncodedPairs([], [])
    cut = {query: _cut_query(tokenizer, query, min(QUERY_TOKENS, max_length // 2)) for query in set(queries)}
    encoded = tokenizer(
        [cut[query] for query in queries], list(passages), truncation="only_second", max_length=max_length
    )
    names = list(encoded.keys())
    ids = [{name: encoded[name][row] for name in names} for row in range(len(passages))]
    truncated = [bool(encoding.overflowing) for encoding in encoded.encodings or []]
    return EncodedPairs(ids, truncated)


def _cut_query(tokenizer: PreTrainedTokenizerBase, query: str, tokens: int) -> str:
    offsets = tokenizer(query, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]
    return query if len(offsets) <= tokens else query[: offsets[tokens - 1][1]]
