"""How a query is answered: depths, fusion, BM25's parameters and the re-ranker's share."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias, get_args

from indexing.bm25.settings import Bm25Settings
from indexing.errors import SettingsError
from indexing.typed_json import check_types
from indexing.whitespace import squeeze

Fusion: TypeAlias = Literal["rrf", "weighted", "bm25", "dense"]
FirstScore: TypeAlias = Literal["fused", "dense", "late"]
FUSIONS: tuple[Fusion, ...] = get_args(Fusion)
MIXES: tuple[FirstScore, ...] = get_args(FirstScore)
"""The first stage's scores of a passage: in the fused ranking, by cosine, and by late interaction."""
DEEPEST = 10_000  # passages that a first stage keeps at most
QUERY_CHARACTERS = 2000  # a longer text is a pasted document, not a query


@dataclass(frozen=True, kw_only=True)
class PipelineSettings:
    """How a query is answered."""

    depth: int = 100
    """Passages kept from each first-stage ranking, and from their fusion."""
    rerank_depth: int = 50
    """Passages of the fused ranking that are re-ranked; 0 for no re-ranking."""
    rerank_order: FirstScore = "fused"
    """Which of the `depth` passages these are, the best by: `fused`, the score in the fused ranking; `dense`, the
    cosine with the query by the bi-encoder; or `late`, late interaction of the bi-encoder's token vectors."""
    fusion: Fusion = "rrf"
    """`rrf`, `weighted`, or one retriever alone: `bm25`, `dense`."""
    rrf_k: int = 60
    """Constant of reciprocal rank fusion."""
    bm25_weight: float = 0.3
    """BM25's share in `weighted`, 0 to 1; dense has the rest."""
    k1: float | None = None
    """BM25's saturation of repeated terms, 0 to 10; None for the index's own."""
    b: float | None = None
    """BM25's weight of the passage's length, 0 to 1; None for the index's own."""
    rerank_weight: float = 1.0
    """Share of the re-ranker's score in the mixture, 0 to 1; 1 ranks by the re-ranker alone."""
    rerank_mix: FirstScore = "fused"
    """What it is mixed with, one of the scores of `rerank_order`, whichever retriever returned the passage."""
    rerank_stop: float | None = None
    """Re-ranking stops early once the tenth passage leads what the unread are expected to get by this much, 0 or more
    standard deviations of the re-ranker's scores (`search.rerank.stopping`); None to read all."""

    @property
    def needs(self) -> frozenset[FirstScore]:
        """The scores of the first stage that re-ranking uses."""
        return frozenset((self.rerank_order, self.rerank_mix))

    def changed(self, values: Mapping[str, Any]) -> "PipelineSettings":
        """With these values by field; where any differs, early stopping, which was learned for all of them, is off.

        Raises SettingsError for values that aren't possible.
        """
        found = replace(self, **values)
        return found if found == self or "rerank_stop" in values else replace(found, rerank_stop=None)

    def __post_init__(self) -> None:
        check_types(self)
        if not 1 <= self.depth <= DEEPEST:
            raise SettingsError(f"depth is {self.depth}; give 1 to {DEEPEST:,} passages.")
        if not 0 <= self.rerank_depth <= self.depth:
            raise SettingsError(f"re-ranking depth is {self.rerank_depth}; give 0 to the depth, {self.depth}.")
        if self.fusion not in FUSIONS:
            raise SettingsError(f"fusion {self.fusion!r} is unknown; choose one of {', '.join(FUSIONS)}.")
        for name, kind in (("rerank_order", self.rerank_order), ("rerank_mix", self.rerank_mix)):
            if kind not in MIXES:
                raise SettingsError(f"{name} {kind!r} is unknown; choose one of {', '.join(MIXES)}.")
        if self.rrf_k < 0:
            raise SettingsError(f"rrf_k is {self.rrf_k}; give 0 or more (usual: 60).")
        Bm25Settings(  # raises SettingsError for values that BM25 can't use
            k1=Bm25Settings.k1 if self.k1 is None else self.k1, b=Bm25Settings.b if self.b is None else self.b
        )
        for name, value in (("bm25_weight", self.bm25_weight), ("rerank_weight", self.rerank_weight)):
            if not 0 <= value <= 1:
                raise SettingsError(f"{name} is {value}; give a number from 0 to 1.")
        if self.rerank_stop is not None and not 0 <= self.rerank_stop < math.inf:
            raise SettingsError(f"rerank_stop is {self.rerank_stop}; give 0 or more, or None to read all candidates.")


def normalized_query(query: str) -> str:
    """The query with single spaces, as it is searched. Raises SettingsError if it is empty, too long, or no text."""
    if any("\ud800" <= character <= "\udfff" for character in query):
        raise SettingsError("The query holds bytes that aren't UTF-8 text; save or type it as UTF-8.")
    text = squeeze(query)
    if not text:
        raise SettingsError("The query is empty; type some words.")
    if len(text) > QUERY_CHARACTERS:
        raise SettingsError(f"The query has {len(text):,} characters; at most {QUERY_CHARACTERS:,} are searched.")
    return text
