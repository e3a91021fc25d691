"""Reads lists of graded or scored candidates, and the scores that teachers gave them in files of their own."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from indexing.errors import CorpusError, TrainingError
from indexing.records import QueryId
from indexing.whitespace import squeeze
from training.data.readers.lines import LARGEST, identifier, json_record, numbers, placed_lines, text, titled_text
from training.example import NO_JUDGMENT, NO_TEACHER, Example, OnSkip
from training.source import Source

PLACE_STEP = 0.04  # of a grade: what a list's order takes from it a place, so that the order within a grade is learned
MOST_TAKEN = 0.4  # of a grade, in all
UNJUDGED = -1
NO_TEACHERS = re.compile(r"(.*[_-])?(ids?|docids?|pids?|ranks?|labels?|grades?|places?)")
"""Names of lists in a teachers' file that hold something else."""
MEANT = re.compile(
    r"(grades?|labels?|rel(evan(ce|t))?|ratings?|gain|judge?ments?|is_(selected|relevant))([_-].*)?", re.I
)
"""Names that candidates' grades have elsewhere; one of these that isn't known is refused."""
KeyedScores = Mapping[tuple[str, str], tuple[float, ...]]
"""A score of each candidate, by the name of the lists' folder (empty: any) and the query's id."""


def list_examples(source: Source, *, on_skip: OnSkip) -> Iterator[Example]:
    """One example a line: an object with `query_id` or `qid`, `query` and `candidates`.

    Each candidate has `text`, perhaps after a `title`, and `grade` or `label` (0 or more, UNJUDGED for a passage that
    nobody judged), or a teacher's `score`, or both; perhaps `place`, its rank within the list, which lowers its label
    by PLACE_STEP a place after the first. Files that the source names as its teachers give scores in place of `score`:
    each line of one has `query_id`, perhaps `set` (the name of the folder that the lists lie in), and one list of
    numbers, in the candidates' order, for each teacher; the mean over all teachers of all files is the score. A list
    with unjudged candidates keeps those that are judged; if none is, all of them, with their scores alone.

    Raises:
        CorpusError: a line can't be read.
        TrainingError: no list has a score in the teachers' files.
    """
    folder = source.path.resolve().parent.name
    taught = [teacher_scores(path) for path in source.teachers]
    untaught, used, queries = 0, 0, dict[str, str]()
    for place, found in placed_lines(source.path, lambda line: _found(json_record(line))):
        if found.key and queries.setdefault(found.key, found.query) != found.query:
            raise CorpusError(f"{place}: query id {found.key[:80]!r} isn't that of one query; give each an id.")
        if taught:
            given = [by_key.get((folder, found.key), by_key.get(("", found.key))) for by_key in taught]
            if None in given:
                on_skip(NO_TEACHER)
                untaught += 1
                continue
            found = replace(found, scores=_mean([_checked(values or (), found, place) for values in given]))
        example = found.example(source.label())
        if example is None:
            on_skip(NO_JUDGMENT)
            continue
        used += 1
        yield example
    if untaught and not used:
        raise TrainingError(
            f"None of the {untaught:,} lists of {source.path} has scores in "
            f"{', '.join(map(str, source.teachers))}; name the scores of these lists."
        )


def _checked(scores: tuple[float, ...], found: "_Found", place: str) -> tuple[float, ...]:
    if len(scores) != len(found.texts):
        raise CorpusError(
            f"{place}: query {found.key[:80]!r} has {len(found.texts)} candidates, and its teacher {len(scores)} "
            "scores; name the scores of these lists."
        )
    return scores


def judged_lists(path: Path) -> dict[QueryId, tuple[str, dict[str, int]]]:
    """By query id, the query and the grade of each judged text, the higher one where a list has it twice.

    Lists without a judged text are left out. Raises CorpusError if a line can't be read or an id has two queries.
    """
    read: dict[QueryId, tuple[str, dict[str, int]]] = {}
    for place, found in placed_lines(path, lambda line: _found(json_record(line))):
        query, grades = read.setdefault(QueryId(found.key), (found.query, {}))
        if query != found.query or not found.key:
            raise CorpusError(f"{place}: query id {found.key[:80]!r} isn't that of one query; give each an id.")
        for text_, grade in zip(found.texts, found.grades, strict=True):
            if grade is not None:
                grades[squeeze(text_)] = max(grade, grades.get(squeeze(text_), grade))
    return {key: entry for key, entry in read.items() if entry[1]}


def teacher_scores(path: Path) -> KeyedScores:
    """The mean of all teachers' scores in a file, by folder and query; held in memory. Raises CorpusError."""
    scores: dict[tuple[str, str], tuple[float, ...]] = {}
    for place, (key, values) in placed_lines(path, lambda line: _teacher_line(json_record(line))):
        if scores.setdefault(key, values) != values:
            raise CorpusError(f"{place}: query {key[1][:80]!r} has other scores in a line before; keep one of them.")
    return scores


@dataclass(frozen=True)
class _Found:
    """The content of one line."""

    key: str
    query: str
    texts: tuple[str, ...]
    grades: tuple[int | None, ...]
    places: tuple[float, ...]
    scores: tuple[float | None, ...]

    def example(self, source: str) -> Example | None:
        """The example; None if there is neither a judged passage nor a score of each."""
        labels = {
            place: max(grade - min(PLACE_STEP * (rank - 1), MOST_TAKEN), 0.0)
            for place, (grade, rank) in enumerate(zip(self.grades, self.places, strict=True))
            if grade is not None
        }
        judged = list(labels)
        kept = judged or list(range(len(self.texts)))
        scores = tuple(score for place in kept if (score := self.scores[place]) is not None)
        if not kept or (not judged and len(scores) < len(kept)):
            return None
        return Example(
            source,
            self.query,
            tuple(self.texts[place] for place in kept),
            labels=tuple(labels.values()) or None,
            scores=scores if len(scores) == len(kept) else None,
            query_id=QueryId(self.key) if self.key else None,
        )


def _found(record: Mapping[str, Any]) -> _Found:
    candidates = record.get("candidates")
    if not isinstance(candidates, list) or not all(isinstance(candidate, dict) for candidate in candidates):
        raise ValueError("'candidates' is not a list of objects")
    places = [f"candidates[{place}]" for place in range(len(candidates))]
    named = list(zip(candidates, places, strict=True))
    key = "qid" if "qid" in record and "query_id" not in record else "query_id"
    return _Found(
        identifier(record.get(key), key) or "",
        text(record.get("query"), "query"),
        tuple(titled_text(candidate, place) for candidate, place in named),
        tuple(_grade(candidate, place) for candidate, place in named),
        tuple(_rank(candidate, place) for candidate, place in named),
        tuple(_number(candidate, "score", place) for candidate, place in named),
    )


def _grade(candidate: Mapping[str, Any], place: str) -> int | None:
    """The grade; None where nobody judged."""
    if candidate.get("grade") is not None and candidate.get("label") is not None:
        raise ValueError(f"{place} has both 'grade' and 'label'")
    name = "label" if candidate.get("grade") is None else "grade"
    if candidate.get(name) is None:
        meant = [other for other in candidate if MEANT.fullmatch(other) and other not in ("grade", "label")]
        if meant:
            raise ValueError(f"{place}.{meant[0][:40]} is by its name a grade, which is 'grade' or 'label' here")
    grade = _number(candidate, name, place)
    if grade is None or grade == UNJUDGED:
        return None
    if grade < 0 or grade != int(grade):
        raise ValueError(f"{place}.{name} is {grade:g}, not 0, 1, 2 ..., or {UNJUDGED} where nobody judged")
    return int(grade)


def _rank(candidate: Mapping[str, Any], place: str) -> float:
    rank = _number(candidate, "place", place)
    if rank is not None and rank < 1:
        raise ValueError(f"{place}.place is {rank:g}, not 1 or more")
    return rank or 1.0


def _number(candidate: Mapping[str, Any], name: str, place: str) -> float | None:
    value = candidate.get(name)
    if value is None:
        return None
    if type(value) not in (int, float) or not abs(value) <= LARGEST:
        raise ValueError(f"{place}.{name} is not a finite number")
    return float(value)


def _teacher_line(record: Mapping[str, Any]) -> tuple[tuple[str, str], tuple[float, ...]]:
    key = identifier(record.get("query_id"), "query_id")
    if key is None:
        raise ValueError("'query_id' is missing")
    teachers = [name for name, value in record.items() if isinstance(value, list)]
    if others := [name for name in teachers if NO_TEACHERS.fullmatch(name.lower())]:
        raise ValueError(f"{others[0]!r} is by its name no teacher's scores; leave such lists out")
    scores = [tuple(numbers(record, name) or ()) for name in teachers]
    if not scores or not all(scores):
        raise ValueError("it has no list of scores")
    if len(set(map(len, scores))) > 1:
        raise ValueError(f"{' and '.join(map(repr, teachers))} have {' and '.join(str(len(x)) for x in scores)} scores")
    return (identifier(record.get("set"), "set") or "", key), _mean(scores)


def _mean(scores: Sequence[tuple[float, ...]]) -> tuple[float, ...]:
    """The mean score of each candidate over the teachers."""
    return tuple(sum(values) / len(scores) for values in zip(*scores, strict=True))
