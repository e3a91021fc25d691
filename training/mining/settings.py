"""How hard negatives are mined and written; the values are checked on construction."""

import math
from dataclasses import dataclass
from pathlib import Path

from indexing.errors import SettingsError
from indexing.typed_json import check_types
from search.settings import Fusion

SAMPLING = ("top", "random", "mixed")
DEEPEST = 10_000  # most passages that the first stage returns
NEGATIVE_FORMS = ("triplets", "n-tuples", "labeled-pairs", "labeled-lists")
"""Each form is a file of rows whose columns are those that a kind of loss takes, in that order.

`triplets` pair every positive with every negative; `n-tuples` give every positive all negatives, and leave out
queries with fewer than requested; `labeled-pairs` have the labels 1 and 0; `labeled-lists` have the positives first,
best grade first, with their grades as labels and 0 for negatives.
"""


@dataclass(frozen=True)
class MiningSettings:
    """Which candidates of a first-stage ranking become negatives. Scores are on the miner's scale (`Miner.scale`)."""

    per_query: int = 5
    """Negatives for each query; fewer if the rules leave fewer."""
    ranks: tuple[int, int] = (1, 100)
    """First and last first-stage rank that negatives are taken from, both included."""
    sampling: str = "mixed"
    """How negatives are drawn from the remaining candidates: `top` takes the highest scores, `random` any, `mixed` half
    from the highest tenth, a quarter from the upper half and the rest from all."""
    relative_margin: float | None = 0.05
    """Share of the positive's score, from 0 to below 1, by which a negative must score lower: score <= positive -
    margin * |positive|. This is positive * (1 - margin) if scores are positive (NV-Retriever, Moreira et al. 2024), and
    is still below the positive if scores are logits. With several positives the lowest counts, because a negative is
    trained against each of them. None for no relative margin."""
    absolute_margin: float | None = None
    """Difference, 0 or more, by which a negative must score below the lowest positive; None for no absolute margin."""
    max_score: float | None = None
    """Highest score of a negative; None for no limit."""
    min_score: float | None = None
    """Lowest score of a negative; None for no limit."""
    near_duplicate: float = 0.9
    """Lowest Jaccard index of terms, above 0 and up to 1, that makes a passage a duplicate of a relevant one."""
    minimum_grade: int = 1
    """Lowest grade of a positive, 1 or more; passages with lower grades above 0 are neither positive nor negative."""
    seed: int = 17

    def __post_init__(self) -> None:
        check_types(self)
        if self.per_query < 1:
            raise SettingsError(f"per_query is {self.per_query}; give 1 negative or more.")
        if not 1 <= self.ranks[0] <= self.ranks[1] <= DEEPEST:
            raise SettingsError(
                f"ranks are {self.ranks[0]} to {self.ranks[1]}; give two from 1 to {DEEPEST:,}, the lower one first."
            )
        if self.sampling not in SAMPLING:
            raise SettingsError(f"sampling {self.sampling!r} is unknown; choose one of {', '.join(SAMPLING)}.")
        if self.relative_margin is not None and not 0 <= self.relative_margin < 1:
            raise SettingsError(f"relative_margin is {self.relative_margin}; give 0 or more, below 1.")
        if self.absolute_margin is not None and not 0 <= self.absolute_margin < math.inf:
            raise SettingsError(f"absolute_margin is {self.absolute_margin}; give 0 or more.")
        if not value_or(self.min_score, -math.inf) <= value_or(self.max_score, math.inf):
            raise SettingsError(
                f"min_score {self.min_score} and max_score {self.max_score} admit no score; give the lower one first."
            )
        if not 0 < self.near_duplicate <= 1:
            raise SettingsError(
                f"near_duplicate is {self.near_duplicate}; give a share above 0, at most 1 (usual: 0.9)."
            )
        if self.minimum_grade < 1:
            raise SettingsError(f"minimum_grade is {self.minimum_grade}; give 1 or more, as grade 0 is not relevant.")


@dataclass(frozen=True)
class NegativesLayout:
    """Which files are written for mined queries."""

    forms: tuple[str, ...] = NEGATIVE_FORMS
    """One or more of NEGATIVE_FORMS; each becomes a file."""
    scores: bool = False
    """Whether each row also has the scores of its passages, positives first."""

    def __post_init__(self) -> None:
        check_types(self)
        if not self.forms or len(set(self.forms)) < len(self.forms) or not set(self.forms) <= set(NEGATIVE_FORMS):
            raise SettingsError(
                f"Mined negatives can't be written as {self.forms}; choose from {', '.join(NEGATIVE_FORMS)}, each once."
            )


@dataclass(frozen=True, kw_only=True)
class MiningOptions:
    """Which queries are mined, what ranks and scores the candidates, and what is written."""

    split: str = "train"
    """Judged split of the index's corpus whose queries are mined, unless `queries` and `qrels` name others."""
    queries: Path | None = None
    """File of queries to mine in place of a split's, as `id TAB text` or BEIR's JSONL."""
    qrels: Path | None = None
    """File of their judgments, in TREC's and MS MARCO's four fields or BEIR's three."""
    fusion: Fusion = "rrf"
    """What ranks the candidates: one of search.settings.FUSIONS."""
    reranker: str = ""
    """Re-ranker that re-scores the candidates: NAME/VERSION, `shipped`, a folder or a hub name; empty for none."""
    protect: tuple[Path, ...] = ()
    """Files of queries that must not be mined, in addition to every judged split except train."""
    layout: NegativesLayout = NegativesLayout()

    def __post_init__(self) -> None:
        check_types(self)
        if (self.queries is None) != (self.qrels is None):
            raise SettingsError(
                f"{self.queries or self.qrels} alone doesn't say what is judged; give both queries and qrels."
            )


def value_or(value: float | None, default: float) -> float:
    """The value, or the default if the value is None."""
    return default if value is None else value
