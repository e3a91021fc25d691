"""How hard negatives are mined and written, checked once."""

import math
from dataclasses import dataclass
from pathlib import Path

from indexing.errors import SettingsError
from search.settings import Fusion

SAMPLING = ("top", "random", "mixed")
DEEPEST = 10_000  # the first stage returns no more
NEGATIVE_FORMS = ("triplets", "n-tuples", "labeled-pairs", "labeled-lists")
"""Each is a file of rows with the columns that a kind of loss takes, in its order.

`triplets` pair every positive with every negative; `n-tuples` give every positive all negatives, and leave out
queries with fewer than were requested; `labeled-pairs` are labeled 1 and 0; `labeled-lists` have positives first, best
grade first, with their grades as labels, and 0 for negatives.
"""


@dataclass(frozen=True)
class MiningSettings:
    """Which candidates of a first-stage ranking become negatives. Scores are those of the scale that is mined on."""

    per_query: int = 5
    """Negatives for each query, or fewer where the rules leave fewer."""
    ranks: tuple[int, int] = (1, 100)
    """First and last first-stage rank that negatives are taken from, both included."""
    sampling: str = "mixed"
    """Of what no rule dropped: `top` takes the highest scores, `random` any, `mixed` half from the highest tenth, a
    quarter from the upper half and the rest from all."""
    relative_margin: float | None = 0.05
    """Share of the positive's score, 0 to below 1, that a negative must stay below it: score <= positive - margin *
    |positive|, which is positive * (1 - margin) where scores are positive (NV-Retriever, Moreira et al. 2024) and still
    lies below the positive where they are logits. With several positives the lowest counts, since a negative stands
    against each of them. None for no such margin."""
    absolute_margin: float | None = None
    """Score, 0 or more, that a negative must stay below the lowest positive; None for no such margin."""
    max_score: float | None = None
    """Highest score of a negative; None for no limit."""
    min_score: float | None = None
    """Lowest score of a negative; None for no limit."""
    near_duplicate: float = 0.9
    """Jaccard index of terms, above 0 to 1, from which a passage counts as the same as a judged relevant one."""
    minimum_grade: int = 1
    """Lowest grade of a positive, 1 or more; passages of lower grades above 0 are neither positive nor negative."""
    seed: int = 17

    def __post_init__(self) -> None:
        if self.per_query < 1:
            raise SettingsError(f"{self.per_query} negatives a query were requested; give 1 or more.")
        if not 1 <= self.ranks[0] <= self.ranks[1] <= DEEPEST:
            raise SettingsError(f"ranks {self.ranks[0]} to {self.ranks[1]} must lie in 1 to {DEEPEST:,} and not fall.")
        if self.sampling not in SAMPLING:
            raise SettingsError(f"sampling {self.sampling!r} is unknown; choose one of {', '.join(SAMPLING)}.")
        if self.relative_margin is not None and not 0 <= self.relative_margin < 1:
            raise SettingsError(f"relative margin {self.relative_margin} must be from 0 to below 1.")
        if self.absolute_margin is not None and not 0 <= self.absolute_margin < math.inf:
            raise SettingsError(f"absolute margin {self.absolute_margin} must be 0 or more.")
        if not value_or(self.min_score, -math.inf) <= value_or(self.max_score, math.inf):
            raise SettingsError(f"scores from {self.min_score} to {self.max_score} leave none; swap the limits.")
        if not 0 < self.near_duplicate <= 1:
            raise SettingsError(f"near-duplicate share {self.near_duplicate} must be above 0, at most 1 (usual: 0.9).")
        if self.minimum_grade < 1:
            raise SettingsError(f"minimum grade {self.minimum_grade} must be 1 or more: grade 0 is not relevant.")


@dataclass(frozen=True)
class NegativesLayout:
    """What is written of mined queries."""

    forms: tuple[str, ...] = NEGATIVE_FORMS
    """Some of NEGATIVE_FORMS, a file each."""
    scores: bool = False
    """Whether each row has its passages' scores too, positives first."""

    def __post_init__(self) -> None:
        if not self.forms or len(set(self.forms)) < len(self.forms) or not set(self.forms) <= set(NEGATIVE_FORMS):
            raise SettingsError(
                f"Mined negatives can't be written as {self.forms}; choose of {', '.join(NEGATIVE_FORMS)}."
            )


@dataclass(frozen=True, kw_only=True)
class MiningOptions:
    """Whose negatives are mined, what ranks and scores the candidates, and what is written."""

    split: str = "train"
    """Judged split beside the index's corpus whose queries are mined, unless `queries` and `qrels` name others."""
    queries: Path | None = None
    """File of queries to mine in place of a split's, `id TAB text` or BEIR's JSONL."""
    qrels: Path | None = None
    """File of their judgments, TREC's and MS MARCO's four fields or BEIR's three."""
    fusion: Fusion = "rrf"
    """What ranks the candidates: one of search.settings.FUSIONS."""
    reranker: str = ""
    """Scores the candidates anew: NAME/VERSION, `shipped`, a folder or a hub name; empty for none."""
    protect: tuple[Path, ...] = ()
    """Files of queries never to mine, besides those of every judged split but train."""
    layout: NegativesLayout = NegativesLayout()

    def __post_init__(self) -> None:
        if (self.queries is None) != (self.qrels is None):
            raise SettingsError(
                f"{self.queries or self.qrels} alone doesn't say what is judged; give both queries and qrels."
            )


def value_or(value: float | None, default: float) -> float:
    """The value, or a default where it is None."""
    return default if value is None else value
