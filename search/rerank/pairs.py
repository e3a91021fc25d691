"""Turns a query and its passages into a cross-encoder's inputs; the only place where pairs are cut to length.

Training and serving both encode here, so that a model reads in service what it was trained on. Only the
passage is cut, never the query (unless the query alone is longer than QUERY_TOKENS).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from transformers import PreTrainedTokenizerBase

from indexing.errors import SettingsError
from indexing.models.long_text import GROWTH, PER_TOKEN, Beginnings, Cut, was_cut
from indexing.store.tokens import MAX_INPUT_TOKENS, TokenIds

QUERY_TOKENS = 64  # a query is cut to this many; MS MARCO's longest dev query has 38 words


@dataclass(frozen=True)
class PairBatch:
    """Some pairs, padded to the longest among them."""

    rows: list[int]
    """Positions of these pairs in the EncodedPairs."""
    features: dict[str, torch.Tensor]
    """(pairs, tokens) int64 each, as the tokenizer names them."""


@dataclass(frozen=True)
class EncodedPairs:
    """Token ids of pairs, not padded."""

    ids: list[dict[str, list[int]]]
    truncated: list[bool]
    """Whether the pair's passage was cut."""

    def batches(self, tokenizer: PreTrainedTokenizerBase, *, token_budget: int) -> Iterator[PairBatch]:
        """Batches of pairs of similar length, longest first, each at most `token_budget` tokens with padding."""
        order = sorted(range(len(self.ids)), key=lambda row: -len(self.ids[row]["input_ids"]))
        start = 0
        while start < len(order):
            size = max(1, token_budget // len(self.ids[order[start]]["input_ids"]))
            rows = order[start : start + size]
            yield PairBatch(rows, _padded(tokenizer, [self.ids[row] for row in rows]))
            start += size


def _padded(tokenizer: PreTrainedTokenizerBase, rows: Sequence[dict[str, list[int]]]) -> dict[str, torch.Tensor]:
    """The result of `tokenizer.pad`, without its checks of every row, which take longer than everything else."""
    padding = {"input_ids": tokenizer.pad_token_id, "token_type_ids": tokenizer.pad_token_type_id}
    longest = max(len(row["input_ids"]) for row in rows)
    features = {}
    for name in rows[0]:
        values = np.full((len(rows), longest), padding.get(name, 0), dtype=np.int64)  # (pairs, tokens) int64
        for place, row in enumerate(rows):
            start = longest - len(row[name]) if tokenizer.padding_side == "left" else 0
            values[place, start : start + len(row[name])] = row[name]
        features[name] = torch.from_numpy(values)
    return features


def encode_pairs(
    tokenizer: PreTrainedTokenizerBase, queries: Sequence[str], passages: Sequence[str], *, max_length: int
) -> EncodedPairs:
    """Token ids of each (query, passage), at most `max_length` tokens with the special ones."""
    if not passages:
        return EncodedPairs([], [])
    cut = {query: _cut_query(tokenizer, query, _query_limit(max_length)) for query in set(queries)}

    def encode(rows: Sequence[int], texts: list[str]) -> list[_Pair]:
        firsts = [cut[queries[row]] for row in rows]
        encoded = tokenizer(firsts, texts, truncation="only_second", max_length=max_length)
        overflowing = [bool(encoding.overflowing) for encoding in encoded.encodings or []] or [False] * len(texts)
        return [
            _Pair({name: encoded[name][place] for name in encoded}, overflows)
            for place, overflows in enumerate(overflowing)
        ]

    pairs, read = Beginnings(tokenizer).encode(
        passages, tokens=max_length, encode=encode, is_full=lambda pair: pair.truncated
    )
    unread = [was_cut(text, part, tokens=max_length) for text, part in zip(passages, read, strict=True)]
    truncated = [pair.truncated or more for pair, more in zip(pairs, unread, strict=True)]
    return EncodedPairs([pair.ids for pair in pairs], truncated)


class _Pair(NamedTuple):
    """One pair's inputs, and whether its passage was cut to fit."""

    ids: dict[str, list[int]]
    truncated: bool


def reads_stored(tokenizer: PreTrainedTokenizerBase, *, max_length: int) -> bool:
    """Whether a passage's stored ids, which are its first ones, make the same pairs as its text."""
    return bool(tokenizer.is_fast) and max_length <= MAX_INPUT_TOKENS and tokenizer.truncation_side == "right"


def encode_stored(
    tokenizer: PreTrainedTokenizerBase, query: str, passages: Sequence[TokenIds], *, max_length: int
) -> EncodedPairs:
    """The result of `encode_pairs` for one query and the texts that have these ids; only the query is tokenized.

    Raises:
        SettingsError: such pairs can't be made from stored ids, or the query leaves no room for a passage.
    """
    if not passages:
        return EncodedPairs([], [])
    if not reads_stored(tokenizer, max_length=max_length):
        raise SettingsError(
            f"Stored token ids serve at most {MAX_INPUT_TOKENS} tokens cut on the right, here {max_length} are cut on "
            f"the {tokenizer.truncation_side}; encode the passages' texts."
        )
    frame = _Frame.around(tokenizer, _cut_query(tokenizer, query, _query_limit(max_length)))
    room = max_length - len(frame.before["input_ids"]) - len(frame.after["input_ids"])
    if room < 1:
        raise SettingsError(
            f"The re-ranker reads {max_length} tokens, and the query with its special tokens takes them all; "
            "give a max_length of 16 or more."
        )
    ids = [frame.fill(passage[:room].tolist()) for passage in passages]
    return EncodedPairs(ids, [len(passage) > room for passage in passages])


def query_cut(tokenizer: PreTrainedTokenizerBase, query: str, *, max_length: int) -> Cut | None:
    """How much of a query stands in its pairs; None if all of it does."""
    tokens = len(tokenizer(query, add_special_tokens=False, verbose=False)["input_ids"])
    limit = _query_limit(max_length)
    return Cut(limit, tokens) if tokens > limit else None


def _query_limit(max_length: int) -> int:
    return min(QUERY_TOKENS, max_length // 2)


def _cut_query(tokenizer: PreTrainedTokenizerBase, query: str, tokens: int) -> str:
    limit = PER_TOKEN * tokens
    while True:
        beginning = query[:limit]
        encoded = tokenizer(beginning, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
        offsets = encoded["offset_mapping"]
        if limit >= len(query):
            return query if len(offsets) <= tokens else query[: offsets[tokens - 1][1]]
        if len(offsets) > 2 * tokens:  # what stands at the cut doesn't reach the tokens that are kept
            return query[: offsets[tokens - 1][1]]
        limit *= GROWTH


@dataclass(frozen=True)
class _Frame:
    """A pair's inputs without its passage: those of the query and the special tokens."""

    before: dict[str, list[int]]
    after: dict[str, list[int]]
    passage: dict[str, int]
    """The value of every passage token, by input; `input_ids` is a placeholder."""

    @classmethod
    def around(cls, tokenizer: PreTrainedTokenizerBase, query: str) -> "_Frame":
        """Derive it from the pair that the tokenizer makes of the query and a passage of one letter."""
        encoded = tokenizer(query, "a")
        sides = encoded.sequence_ids(0)  # None for a special token, 0 for the query, 1 for the passage
        start = sides.index(1)
        end = start + sides.count(1)
        return cls(
            {name: values[:start] for name, values in encoded.items()},
            {name: values[end:] for name, values in encoded.items()},
            {name: values[start] for name, values in encoded.items()},
        )

    def fill(self, ids: list[int]) -> dict[str, list[int]]:
        """The inputs of one pair."""
        inside = {name: [value] * len(ids) for name, value in self.passage.items()} | {"input_ids": ids}
        return {name: [*before, *inside[name], *self.after[name]] for name, before in self.before.items()}
