"""Target logits: the scales on which every kind of data says how much a passage is worth.

One convention holds for all of them. A cosine c becomes the logit (c - MIDDLE_COSINE) * COSINE_SCALE, so 0.5 becomes 0
and 0.05 of cosine becomes 1. Losses on lists (ListNet, the (P)ListMLEs, RankNet, LambdaLoss) and on margins
(MarginMSE) see only the differences within a list, so no constant matters to them; losses on absolute scores (MSE,
binary cross-entropy) see the logit itself. All recipes of several stages train with a loss on lists.
"""

from typing import TypeVar

from indexing.records import Floats

COSINE_SCALE = 20.0  # logits a cosine of 1 spans: 0.05 apart is 1 apart
MIDDLE_COSINE = 0.5  # the cosine whose logit is 0
BM25_SHARE = 0.2  # cosine that the query's best BM25 score is worth
LATE_SHARPNESS = 20.0  # of late interaction's soft maximum; at infinity it is the maximum
LATE_SCALE = 32.0  # spreads late interaction's scores of one list as widely as COSINE_SCALE does cosines
MIDDLE_LATE = 0.7  # the late-interaction score whose logit is 0
RUN_SPREAD = 2.0  # standard deviation of the logits made of a run, whose own scale means nothing
GRADE_LOGITS = 6.0  # logits between grade 0 and the highest grade
FIRST_STAGE_SHARE = 0.25  # of the first stage's logit, added to that of a grade
QUESTION_BONUS = 3.0  # logits that a passage gains for having asked the question

Scores = TypeVar("Scores", float, Floats)


def as_logits(cosines: Scores) -> Scores:
    """Cosines, or one of them, as logits."""
    return (cosines - MIDDLE_COSINE) * COSINE_SCALE


def late_as_logits(scores: Scores) -> Scores:
    """Mean soft maxima of late interaction, or one of them, as logits."""
    return (scores - MIDDLE_LATE) * LATE_SCALE


def grade_as_logit(grade: int, first_stage: float, *, highest: int) -> float:
    """The logit of a grade from 0 to `highest`, plus a share of the first stage's logit.

    The share keeps the first stage's order among passages of one grade. A grade below 0 counts as 0.
    """
    return GRADE_LOGITS * max(grade, 0) / highest + FIRST_STAGE_SHARE * first_stage


def run_as_logits(scores: Floats) -> Floats | None:
    """One query's scores of a run, (depth,), as logits of mean 0 and standard deviation RUN_SPREAD.

    None where all scores are equal, so that they tell no passages apart.
    """
    spread = float(scores.std())
    if spread <= 0:
        return None
    logits: Floats = ((scores - scores.mean()) / spread * RUN_SPREAD).astype(scores.dtype)
    return logits
