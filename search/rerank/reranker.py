"""The protocol of a re-ranker: anything with a name that scores a query's passages."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np

from indexing.errors import ModelError, SettingsError
from indexing.models.long_text import Cut
from indexing.records import Floats
from indexing.store.tokens import TokenIds

WHOLE_NUMBERS = 2**24  # up to which single precision holds each
PAIRS_AT_ONCE = 50
"""Of one query or several: as many as a search reads, so that one which waits for its turn waits no longer."""


@dataclass(frozen=True)
class Scores:
    """A re-ranker's scores of one query's passages, in their order."""

    logits: Floats
    """(passages,) float32, finite; the higher, the more relevant."""
    truncated: tuple[bool, ...] = ()
    """Whether each passage was cut to fit; empty if none was."""
    seconds: Mapping[str, float] = field(default_factory=dict)
    """Time of each step, such as `tokenize` and `re-rank`; empty if it wasn't measured."""


class Reranker(Protocol):
    """Scores passages for a query."""

    @property
    def name(self) -> str:
        """The name that users see."""

    def score(self, query: str, passages: Sequence[str]) -> Scores:
        """A raw logit of each passage, in the order of `passages`."""


@runtime_checkable
class StoredTokens(Protocol):
    """The further protocol of a re-ranker that can read the passages' token ids that an index stores."""

    @property
    def tokenizer_fingerprint(self) -> str:
        """Its tokenizer's fingerprint: it reads only ids that the same tokenizer made; empty if it can't read any."""

    def score_stored(self, query: str, tokens: Sequence[TokenIds]) -> Scores:
        """The scores of the texts that have these token ids, as from `score`."""


@runtime_checkable
class PairScorer(Protocol):
    """The further protocol of a re-ranker that scores pairs of many queries at once, as fast as its batches allow."""

    def score_pairs(self, queries: Sequence[str], passages: Sequence[str]) -> Floats:
        """(pairs,) float32 raw logits of each passage for the query in the same place."""


@runtime_checkable
class CutsQueries(Protocol):
    """The further protocol of a re-ranker that knows where it reads only the beginning of a query."""

    def query_cut(self, query: str) -> Cut | None:
        """How much of the query it reads; None if all of it."""


@runtime_checkable
class FromFiles(Protocol):
    """The further protocol of a re-ranker that was loaded from files."""

    @property
    def files(self) -> str:
        """The path or hub name that it was loaded from; empty if that isn't known."""


def check_reranker(reranker: object) -> None:
    """Raise SettingsError for an object that is none, by its name and its method, which annotations don't check."""
    if not isinstance(getattr(reranker, "name", None), str) or not callable(getattr(reranker, "score", None)):
        raise SettingsError(
            f"An object of type {type(reranker).__name__} is no re-ranker; it needs a text `name` and a method "
            "`score(query, passages)` that returns Scores."
        )


def score_passages(
    reranker: Reranker, query: str, passages: Sequence[str], *, tokens: Sequence[TokenIds] | None = None
) -> Scores:
    """The re-ranker's scores, checked and timed; if there are `tokens`, it reads those in place of the texts.

    Raises:
        ModelError: it gives no Scores, or not one finite number for each passage.
    """
    start = time.perf_counter()
    if tokens is not None and isinstance(reranker, StoredTokens):
        scores = reranker.score_stored(query, tokens)
    else:
        scores = reranker.score(query, passages)
    _check_form(reranker.name, scores)
    seconds = scores.seconds or {"re-rank": time.perf_counter() - start}
    logits = np.asarray(scores.logits, dtype=np.float32)  # (passages,) float32
    if logits.shape != (len(passages),):
        raise ModelError(
            f"Re-ranker {reranker.name} gave scores of shape {logits.shape} for {len(passages)} passages; "
            "it must give one number for each."
        )
    if not np.isfinite(logits).all():
        raise ModelError(f"Re-ranker {reranker.name} gave a score that isn't a finite number; choose another.")
    given = np.asarray(scores.logits)
    if np.abs(logits).max(initial=0) > WHOLE_NUMBERS and len(np.unique(given)) > len(np.unique(logits)):
        raise ModelError(
            f"Re-ranker {reranker.name} gave scores such as {given.max():.17g}, which differ by less than single "
            "precision holds; subtract their mean, or scale them."
        )
    return Scores(logits, scores.truncated or (False,) * len(passages), seconds)


def _check_form(name: str, scores: object) -> None:
    """Raise ModelError if a re-ranker, whose types nobody checked, gave something else than numbers as Scores."""
    if not isinstance(scores, Scores):
        raise ModelError(
            f"Re-ranker {name} gave {type(scores).__name__} in place of Scores; return Scores(numbers), one for each "
            "passage."
        )
    try:
        given = np.asarray(scores.logits)
    except (TypeError, ValueError, RuntimeError):  # lists of several lengths, a tensor with its gradient or on a GPU
        given = np.array("")
    if given.dtype.kind not in "biuf":
        raise ModelError(f"Re-ranker {name} gave scores that aren't numbers; it must give one for each passage.")
    if len(scores.truncated) not in (0, given.size):
        raise ModelError(
            f"Re-ranker {name} gave {given.size} scores, and says of {len(scores.truncated)} passages whether they "
            "were cut; leave truncated out, or give one flag for each."
        )


class WrappedReranker:
    """What one that stands before another tells of it."""

    def __init__(self, reranker: Reranker) -> None:
        self._reranker = reranker

    @property
    def name(self) -> str:
        """The wrapped re-ranker's name."""
        return self._reranker.name

    @property
    def tokenizer_fingerprint(self) -> str:
        """The wrapped re-ranker's; empty if it can't read stored tokens."""
        return self._reranker.tokenizer_fingerprint if isinstance(self._reranker, StoredTokens) else ""

    @property
    def files(self) -> str:
        """The wrapped re-ranker's folder or hub name; empty if it has none."""
        return self._reranker.files if isinstance(self._reranker, FromFiles) else ""

    def query_cut(self, query: str) -> Cut | None:
        """How much of a query the wrapped re-ranker reads; None if all of it, or if it can't tell."""
        return self._reranker.query_cut(query) if isinstance(self._reranker, CutsQueries) else None
