"""A user's own grades as pairs with texts, from the Teach page's store or from files, to measure a model against."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from indexing.errors import SettingsError
from indexing.index import Index
from indexing.judged.qrels import source_words
from indexing.judged.sets import JudgedSet
from indexing.notes import Note, counted, log_note
from indexing.records import PassageId, Query, QueryId
from training.judgments.by_model.grader import Pair
from training.judgments.feedback import HIGHEST_GRADE, FeedbackStore, check_rater, text_fingerprint


@dataclass(frozen=True, slots=True)
class OwnGrade:
    """A pair, and a person's grade of it from 0 to 3."""

    pair: Pair
    grade: int


def grades_in_store(path: Path, index: Index, *, rater: str = "", note: Note = log_note) -> list[OwnGrade]:
    """A rater's grades of an index's passages; grades of a text that has changed since, or is gone, are left out.

    Raises:
        SettingsError: there is no store, it has no grade of this index by that rater, or several raters and none named.
    """
    name = index.manifest.name
    if not path.exists():
        raise SettingsError(f"{path} doesn't exist; grade passages on the Teach page, or give --queries and --qrels.")
    grades = FeedbackStore.open(path).grades(name)
    raters = sorted({grade.rater for grade in grades})
    chosen = check_rater(rater) if rater else raters[0] if len(raters) == 1 else ""
    if chosen not in raters:
        names = ", ".join(raters) or "nobody"
        raise SettingsError(f"Grades of index {name} are by {names}; name one of them by --rater.")
    found, changed = [], 0
    for grade in grades:
        if grade.rater != chosen:
            continue
        passage = index.passages.by_id(grade.passage_id) if grade.passage_id in index.passages else None
        if passage is None or text_fingerprint(passage.content) != grade.fingerprint:
            changed += 1
            continue
        found.append(OwnGrade(Pair(Query(grade.query_id or QueryId(""), grade.query), passage), grade.grade))
    if changed:
        note(f"{counted(changed, 'grade')} left out: the passage has changed since, or is gone from index {name}.")
    return found


def grades_in_files(judged: JudgedSet, index: Index, *, note: Note = log_note) -> list[OwnGrade]:
    """The grades of a judged set whose passages an index has.

    Raises:
        SettingsError: the grades aren't people's, or one is not from 0 to 3.
    """
    if judged.source:
        raise SettingsError(f"These judgments were {source_words(judged.source)}; give your own grades.")
    found, absent = [], 0
    for query in judged.queries:
        for passage_id, grade in judged.qrels[query.id].items():
            if not 0 <= grade <= HIGHEST_GRADE:
                raise SettingsError(
                    f"Passage {passage_id!r} of query {query.id!r} has the grade {grade}; give grades from 0 to "
                    f"{HIGHEST_GRADE}, which the model gives too."
                )
            if passage_id in index.passages:
                found.append(OwnGrade(Pair(query, index.passages.by_id(PassageId(passage_id))), grade))
            else:
                absent += 1
    if absent:
        note(f"{counted(absent, 'grade')} left out: index {index.manifest.name} has no such passage.")
    return found


def draw(grades: Iterable[OwnGrade], count: int) -> Sequence[OwnGrade]:
    """`count` of the grades, by a hash of their texts: always the same ones, and with a larger count these and more."""
    return sorted(grades, key=lambda own: hashlib.sha256(own.pair.key.encode()).digest())[:count]
