"""What every re-ranker offers: logits of a query's passages."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from indexing.records import Floats
from indexing.store.tokens import TokenIds


@dataclass(frozen=True)
class Scores:
    """What a re-ranker says of one query's passages."""

    logits: Floats
    """(passages,) float32, finite."""
    truncated: tuple[bool, ...]
    """Whether the passage was cut to fit."""
    seconds: dict[str, float]
    """Time of `tokenise` and `re-rank`."""


class Reranker(Protocol):
    """Scores passages for a query."""

    @property
    def name(self) -> str:
        """What a person calls it."""

    @property
    def tokenizer_fingerprint(self) -> str:
        """Of the tokenizer whose stored ids it reads; empty if it reads none."""

    def score(self, query: str, passages: Sequence[str], *, tokens: Sequence[TokenIds] | None = None) -> Scores:
        """Raw logits, in the order of `passages`; `tokens` are their ids, by its own tokenizer."""
