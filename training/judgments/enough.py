"""How far grades have come towards a training: the queries that it can learn from."""

from collections.abc import Sequence

from indexing.corpus.same_text import text_key
from training.judgments.agreement import median_grades
from training.judgments.feedback import Grade


def queries_that_train(grades: Sequence[Grade]) -> int:
    """How many queries a training on lists learns from: with a relevant passage and one that isn't, none protected.

    Queries that say the same count as one, and several raters' grades of a passage as their median, as in a training.
    """
    by_text: dict[str, list[Grade]] = {}
    for grade in grades:
        by_text.setdefault(text_key(grade.query), []).append(grade)
    return sum(map(_trains, by_text.values()))


def _trains(grades: Sequence[Grade]) -> bool:
    if any(grade.protected for grade in grades):
        return False
    medians = median_grades(grades, passage=lambda grade: grade.passage_id).values()
    return any(median > 0 for median in medians) and any(median <= 0 for median in medians)
