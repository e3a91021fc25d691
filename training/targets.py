"""Target logits: one scale for cosines, runs and grades; late interaction has the same by itself.

A cosine c becomes the logit (c - MIDDLE_COSINE) * COSINE_SCALE, so a cosine of 0.5 becomes 0, and a difference of 0.05
becomes 1. Losses on lists (ListNet, the (P)ListMLEs, RankNet, LambdaLoss) and on margins (MarginMSE) see only the
differences within a list, so a constant offset doesn't affect them; losses on absolute scores (MSE, binary
cross-entropy) see the logit itself. All recipes of several stages train with a loss on lists.
"""

from typing import TypeVar

from indexing.records import Floats

COSINE_SCALE = 20.0  # logits per unit of cosine: cosines 0.05 apart are 1 logit apart
MIDDLE_COSINE = 0.5  # the cosine whose logit is 0
BM25_SHARE = 0.2  # what the query's best BM25 score adds to a cosine
RUN_SPREAD = 2.0  # standard deviation of the logits computed from a run, whose own scale means nothing
GRADE_LOGITS = 6.0  # logits between grade 0 and the highest grade
FIRST_STAGE_SHARE = 0.25  # share of the first stage's logit that is added to a grade's logit
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


def run_as_logits(scores: Floats) -> Floats | None:
    """The scores of one query in a run, (depth,), as logits of mean 0 and standard deviation RUN_SPREAD.

    None if all scores are equal, because they don't distinguish the passages.
    """
    spread = float(scores.std())
    if spread <= 0:
        return None
    logits: Floats = ((scores - scores.mean()) / spread * RUN_SPREAD).astype(scores.dtype)
    return logits
