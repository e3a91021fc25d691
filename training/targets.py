"""Target logits: one scale for cosines, runs and grades; late interaction has the same by itself.

A cosine c becomes the logit (c - MIDDLE_COSINE) * COSINE_SCALE, so a cosine of 0.5 becomes 0, and a difference of 0.05
becomes 1. Losses on lists (ListNet, the (P)ListMLEs, RankNet, LambdaLoss) and on margins (MarginMSE) see only the
differences within a list, so a constant offset doesn't affect them; losses on absolute scores (MSE, binary
cross-entropy) see the logit itself. All recipes of several stages train with a loss on lists.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from indexing.errors import SettingsError
from indexing.records import Floats
from indexing.typed_json import check_types

COSINE_SCALE = 20.0  # logits per unit of cosine: cosines 0.05 apart are 1 logit apart
MIDDLE_COSINE = 0.5  # the cosine whose logit is 0
BM25_SHARE = 0.2  # what the query's best BM25 score adds to a cosine
RUN_SPREAD = 2.0  # standard deviation of the logits computed from a run, whose own scale means nothing
GRADE_LOGITS = 6.0  # logits between grade 0 and the highest grade
FIRST_STAGE_SHARE = 0.25  # share of the first stage's logit that is added to a grade's logit
MOST_WEIGHT = 100.0  # of a part of a mixed target
QUESTION_BONUS = 3.0  # logits added for the passage that the question was taken from

CosineT = TypeVar("CosineT", float, Floats)


def as_logits(cosines: CosineT) -> CosineT:
    """One cosine, or an array of them, as logits."""
    return (cosines - MIDDLE_COSINE) * COSINE_SCALE


def grade_as_logit(grade: int, first_stage: float, *, highest: int) -> float:
    """The logit of a grade from 0 to `highest`, plus a share of the first stage's logit.

    The share keeps the first stage's order among passages of one grade. A grade below 0 counts as 0.
    """
    return GRADE_LOGITS * max(grade, 0) / highest + FIRST_STAGE_SHARE * first_stage


@dataclass(frozen=True, kw_only=True)
class TargetSettings:
    """How a passage's grade and a teacher's logit become its target logit: (grade part + teacher part) / temperature.

    The teacher's part keeps what the base knew: trained on grades alone, a model forgets more than it learns.
    """

    grade: float = 0.7
    """Logits of one step in grade."""
    teacher: float = 0.7
    """Share of the teacher's logit."""
    temperature: float = 1.0
    """Above 1 the target's distribution over a list is flatter."""

    def __post_init__(self) -> None:
        check_types(self)
        for name in ("grade", "teacher"):
            if not 0 <= getattr(self, name) <= MOST_WEIGHT:
                raise SettingsError(f"target's {name} is {getattr(self, name)}; give 0 to {MOST_WEIGHT:g}.")
        if not 0 < self.temperature <= MOST_WEIGHT:
            raise SettingsError(f"temperature is {self.temperature}; give a number above 0, up to {MOST_WEIGHT:g}.")


def mixed_logits(
    grades: Sequence[float] | None, teacher: Sequence[float], settings: TargetSettings
) -> tuple[float, ...]:
    """The target logits of one list, (passages,); without grades, the teacher's part alone."""
    return tuple(
        (settings.grade * grade + settings.teacher * logit) / settings.temperature
        for grade, logit in zip(grades or (0.0,) * len(teacher), teacher, strict=True)
    )


def run_as_logits(scores: Floats) -> Floats | None:
    """The scores of one query in a run, (depth,), as logits of mean 0 and standard deviation RUN_SPREAD.

    None if all scores are equal, because they don't distinguish the passages.
    """
    spread = float(scores.std())
    if spread <= 0:
        return None
    logits: Floats = ((scores - scores.mean()) / spread * RUN_SPREAD).astype(scores.dtype)
    return logits
