"""Reads runs in TREC's or MS MARCO's format, or as JSON, and writes them in TREC's."""

import math
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from indexing import atomic
from indexing.errors import CorpusError
from indexing.judged.lines import refuse, text_lines
from indexing.judged.objects import document, holds_json
from indexing.judged.rows import fields_of
from indexing.judged.tally import COMMENT, REPEAT, Tally
from indexing.notes import Note, counted, log_note
from indexing.records import QueryId, Ranking, Run
from indexing.whitespace import bare
from search.ties import RunList, order_notes

if TYPE_CHECKING:
    from indexing.index import Index

FORM = "'query Q0 passage rank score tag' (TREC) or 'query passage rank' (MS MARCO)"
RANK = re.compile(r"-?[0-9]{1,18}")
UNUSED = {"Q0", "q0", "0"}
LARGEST = float(np.finfo(np.float32).max)
SMALLEST_STEP = 1e-30
"""Between two scores that are written: also a reader that takes the tiniest numbers for 0 sees it."""
WIDTHS = {3: "a rank", 6: "a tag"}
"""By the number of fields in a line, what the last one holds."""
OTHER_FILES = {
    4: "4 fields, which are those of qrels, or a query, passage, rank and score",
    5: "5 fields, which lack the tag or another of the six",
    7: "7 fields, one too many (is there a blank in an id or in the tag?)",
}


def read_run(path: Path, *, note: Note = log_note) -> dict[QueryId, Ranking]:
    """Read a run of TREC's six fields, MS MARCO's three (query, passage, rank: scores become 1 / rank), or JSON.

    JSON is {query: {passage: score}}. Scores are compared in double precision. Where they tie, the rank column decides
    if the query's scores fall along it and no rank comes twice; else the passage ids do, from last to first, as in
    trec_eval. `note` gets what was left out, which queries tie, and where ranks contradict scores.

    Raises:
        CorpusError: a line can't be read, a passage comes twice for a query, or a score is no finite number.
    """
    tally = Tally(path)
    lists = _from_json(path) if holds_json(path) else _from_lines(path, tally)
    tally.tell(note)
    run = {QueryId(query): ranked.ranking() for query, ranked in lists.items()}
    for decision in order_notes(lists):
        note(f"{path}: {decision}.")
    return run


def _from_lines(path: Path, tally: Tally) -> dict[str, RunList]:
    lists: dict[str, RunList] = {}
    width = first = 0
    swapped = True
    for number, text in text_lines(path):
        if text.lstrip().startswith("#"):
            tally.add(COMMENT, number)
            continue
        fields = fields_of(text)
        if len(fields) != width:
            _check_width(path, number, text, fields, width, first)
            width, first = len(fields), number
        swapped = swapped and width == 6 and fields[2] in UNUSED and fields[1] not in UNUSED
        score, rank = _numbers(path, number, text, fields)
        query, passage = fields[0], fields[1 if width == 3 else 2]
        if not query or not passage:
            refuse(path, number, "an empty id", text, form=FORM)
        ranked = lists.setdefault(query, RunList())
        if before := ranked.add(passage, score, rank, number=number):
            if not ranked.holds(passage, score, rank):
                problem = f"passage {passage[:80]!r} of query {query[:80]!r} stands in line {before:,} already"
                refuse(path, number, problem, text, form="each passage once for a query")
            tally.add(REPEAT, number)
    if not lists:
        raise CorpusError(f"{path} holds nothing but comments; give a run with lines of {FORM}.")
    if swapped:
        raise CorpusError(
            f"{path}:{first}: the passage of every line is called Q0 or 0: the second and third columns are swapped; "
            f"expected is {FORM}."
        )
    if width == 3:
        _check_ranks(path, lists)
    return lists


def _check_width(path: Path, number: int, text: str, fields: Sequence[str], width: int, first: int) -> None:
    if width:
        refuse(path, number, f"{len(fields)} fields, where line {first:,} has {width}", text, form=FORM)
    if len(fields) not in WIDTHS:
        count = counted(len(fields), "field")
        refuse(path, number, OTHER_FILES.get(len(fields), count), text, form=FORM)


def _numbers(path: Path, number: int, text: str, fields: Sequence[str]) -> tuple[float, int]:
    """Score and rank of a line."""
    if len(fields) == 3:
        if not RANK.fullmatch(fields[2]) or int(fields[2]) < 1:
            problem = f"rank {fields[2][:80]!r} is no whole number from 1 (a score needs TREC's six fields)"
            refuse(path, number, problem, text, form=FORM)
        return 1 / int(fields[2]), int(fields[2])
    if not RANK.fullmatch(fields[3]):
        refuse(path, number, f"rank {fields[3][:80]!r} is no whole number", text, form=FORM)
    score = finite(fields[4])
    if score is None:
        problem = f"score {fields[4][:80]!r} of query {fields[0][:80]!r} is no finite number within {LARGEST:.2g}"
        refuse(path, number, problem, text, form=FORM)
    return score, int(fields[3])


def finite(text: str) -> float | None:
    """A score in double precision; None for what is no decimal number, or too large for single precision."""
    try:
        value = float(text) if text.isascii() and "_" not in text else math.nan  # float() takes 1_000 and other digits
    except ValueError:
        return None
    return value if abs(value) <= LARGEST else None  # false for nan too


def _check_ranks(path: Path, lists: dict[str, RunList]) -> None:
    """Refuse ranks that give no order, or that are scores."""
    for query, ranked in lists.items():
        seen: dict[int, int] = {}
        for place, rank in enumerate(ranked.ranks):
            before = seen.setdefault(rank, place)
            if before != place:
                raise CorpusError(
                    f"{path}:{ranked.line(place)}: query {query[:80]!r} has rank {rank} already in line "
                    f"{ranked.line(before):,}; expected is {FORM}, with each rank once."
                )
    if not any(1 in ranked.ranks for ranked in lists.values()):
        ranked = next(iter(lists.values()))
        raise CorpusError(
            f"{path}:{ranked.line(0)}: no query has rank 1 in the third field, which seems to hold scores; expected is "
            f"{FORM}."
        )
    longer = [ranked for ranked in lists.values() if len(ranked) > 1]
    if longer and all(ranked.ranks.tolist() == sorted(ranked.ranks, reverse=True) for ranked in longer):
        raise CorpusError(
            f"{path}:{longer[0].line(0)}: the third field falls from line to line in every query, as scores do and "
            f"ranks don't; expected is {FORM}."
        )


def _from_json(path: Path) -> dict[str, RunList]:
    value = document(path, form="{query: {passage: score}}")
    if not isinstance(value, dict) or not all(isinstance(scores, dict) for scores in value.values()):
        raise CorpusError(f"{path} is JSON of another form; give {{query: {{passage: score}}}}, or {FORM}.")
    lists: dict[str, RunList] = {}
    for query, scores in value.items():
        ranked = lists.setdefault(bare(query), RunList())
        for number, (passage, score) in enumerate(scores.items(), start=len(ranked) + 1):
            number_or_none = finite(repr(score)) if isinstance(score, int | float) else None
            if number_or_none is None or not bare(passage) or not bare(query):
                raise CorpusError(
                    f"{path}: query {query[:80]!r} has passage {passage[:80]!r} with {str(score)[:80]!r}, where an id "
                    "and a finite number are wanted."
                )
            if ranked.add(bare(passage), number_or_none, None, number=number):
                raise CorpusError(f"{path}: query {query[:80]!r} has passage {bare(passage)[:80]!r} twice; keep one.")
    if not lists:
        raise CorpusError(f"{path} holds no query; give {{query: {{passage: score}}}}, or {FORM}.")
    return lists


def check_run_ids(queries: Iterable[str], index: "Index") -> None:
    """Refuse, before anything is searched, ids that the lines of a TREC run can't hold.

    Raises:
        CorpusError: the id of a query or of any passage of the index is empty or contains white space, or a query's
            begins with '#'.
    """
    for name in queries:
        _check_id(name, "query", "the file of queries")
    blank = index.passages.first_id_with_blanks()
    if blank is not None:
        _check_id(blank, "passage", f"the corpus of index {index.manifest.name}, and build it again")


def _check_id(name: str, what: str, place: str) -> None:
    if name.split() != [name]:
        raise CorpusError(
            f"Id {name!r} of a {what} {'contains white space' if name else 'is empty'}, which a TREC run can't hold; "
            f"rename it in {place}."
        )
    if what == "query" and name.startswith("#"):
        raise CorpusError(f"Id {name!r} of a query begins as a comment does in a run; rename it in {place}.")


def run_lines(query: QueryId, ranking: Ranking, *, tag: str) -> list[str]:
    """One query's lines of TREC's six fields; scores fall strictly, also for a reader in single precision.

    So trec_eval, which orders by score and ties by id from last to first, sees the order that we rank by.

    Raises:
        CorpusError: an id is empty or contains white space, or the query's begins with '#'.
    """
    for name, what in ((query, "query"), *((passage_id, "passage") for passage_id in ranking.passage_ids)):
        _check_id(name, what, "its file")
    return [
        f"{query} Q0 {passage_id} {place} {score:.9g} {tag}"
        for place, (passage_id, score) in enumerate(
            zip(ranking.passage_ids, falling(ranking.scores.tolist()), strict=True), start=1
        )
    ]


def falling(scores: Sequence[float]) -> list[float]:
    """Scores as float32 that fall strictly: one that ties is lowered by the least step that all readers see."""
    fallen: list[float] = []
    last = math.inf
    for score in scores:
        if score >= last:
            with np.errstate(over="ignore"):  # below the least float32 lies -inf, which is replaced at the end
                next_lower = np.nextafter(np.float32(last), np.float32(-np.inf))
            score = float(min(next_lower, np.float32(last - SMALLEST_STEP)))
        fallen.append(score)
        last = score
    return fallen if last >= -LARGEST else [float(len(scores) - place) for place in range(len(scores))]


def write_run(path: Path, run: Run, *, tag: str) -> None:
    """Write a run of TREC's six fields, whole or not at all. Raises CorpusError if an id contains white space."""
    lines = [line for query, ranking in run.items() for line in run_lines(query, ranking, tag=tag)]
    atomic.write_text(path, "".join(line + "\n" for line in lines))
