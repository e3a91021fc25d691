"""How hard negatives are mined, checked once."""

import math
from dataclasses import dataclass

from indexing.errors import SettingsError

SAMPLING = ("top", "random", "mixed")
DEEPEST = 10_000  # the first stage returns no more


@dataclass(frozen=True)
class MiningSettings:
    """Which candidates of a first-stage ranking become negatives. Scores are those of the scale that is mined on."""

    per_query: int = 5
    """Negatives wanted for each query."""
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
            raise SettingsError(f"{self.per_query} negatives a query are wanted; give 1 or more.")
        if not 1 <= self.ranks[0] <= self.ranks[1] <= DEEPEST:
            raise SettingsError(f"ranks {self.ranks[0]} to {self.ranks[1]} must lie in 1 to {DEEPEST:,} and not fall.")
        if self.sampling not in SAMPLING:
            raise SettingsError(f"sampling {self.sampling!r} is unknown; choose one of {', '.join(SAMPLING)}.")
        if self.relative_margin is not None and not 0 <= self.relative_margin < 1:
            raise SettingsError(f"relative margin {self.relative_margin} must be from 0 to below 1.")
        if self.absolute_margin is not None and not 0 <= self.absolute_margin < math.inf:
            raise SettingsError(f"absolute margin {self.absolute_margin} must be 0 or more.")
        if not _or(self.min_score, -math.inf) <= _or(self.max_score, math.inf):
            raise SettingsError(f"scores from {self.min_score} to {self.max_score} leave none; swap the limits.")
        if not 0 < self.near_duplicate <= 1:
            raise SettingsError(f"near-duplicate share {self.near_duplicate} must be above 0, at most 1 (usual: 0.9).")
        if self.minimum_grade < 1:
            raise SettingsError(f"minimum grade {self.minimum_grade} must be 1 or more: grade 0 is not relevant.")


def _or(value: float | None, default: float) -> float:
    return default if value is None else value
