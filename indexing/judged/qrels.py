"""Reads qrels in TREC's, MS MARCO's, BEIR's and Quepid's forms; what looks like another file is refused by name."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from indexing.corpus.remarks import is_rewritten
from indexing.errors import CorpusError
from indexing.judged.lines import refuse
from indexing.judged.objects import document, holds_json, id_of, records, refuse_record
from indexing.judged.rows import Names, Row, Table
from indexing.judged.tally import REPEAT, REWRITTEN, UNRATED, Tally
from indexing.notes import Note, counted, log_note
from indexing.records import PassageId, Qrels, QueryId
from indexing.whitespace import bare

GRADE = re.compile(r"-?[0-9]+(?:\.0*)?")  # int() alone also takes 1_000, +1 and the digits of other scripts
RANKED = 5  # grades 1, 2, 3, 4, 5 of one query in this order are ranks, where it is so with every other query
MOST = 1_000  # of a grade, above or below 0: beyond it, it is an id in the wrong column
WHOLE = {str(grade): grade for grade in range(-10, MOST + 1)}  # most grades, found without a closer look
FORM = "'query 0 passage grade' (TREC) or 'query passage grade' (BEIR), with a whole number as the grade"
UNUSED = {"0", "Q0", "q0"}  # what TREC's second column holds
CLICKS = "clicks"
"""In that column it marks a judgment that was made from clicks."""
IMPORTED = "imported"
"""It marks one that was brought in from somebody else's file."""
MODEL = "model:"
"""Its beginning there marks a judgment by a language model, whose name follows."""
QUERY, TEXT, PASSAGE, JUDGED = "queries", "text", "passages", "grade"
NAMES = Names(
    {
        QUERY: "queryid qid topicid topic topicno",
        TEXT: "query querytext",
        PASSAGE: "corpusid docid documentid docno doc document passageid pid passage",
        JUDGED: "score rel relevance relevancy grade label rating judgment judgement relevancescore relevancegrade",
    },
    needed=(frozenset({QUERY, TEXT}), frozenset({PASSAGE}), frozenset({JUDGED})),
    alone={JUDGED},
    ids={QUERY, PASSAGE},
)
OTHER_FILES = {
    2: "2 fields hold no grade",
    5: "5 fields, which are NIST's prels (query, document, method, judgment, probability) or a run without its tag",
    6: "6 fields are those of a run, which ranks passages and judges none",
}


@dataclass(frozen=True)
class Judgments:
    """The grades of one file."""

    grades: Mapping[str, Mapping[PassageId, int]]
    """By query and passage."""
    by_text: bool
    """Whether queries are named by their texts, as in Quepid's exports, and not by ids."""
    source: str = ""
    """CLICKS, IMPORTED or MODEL with a name, if the file marks its judgments so; empty for grades without a mark."""


def read_qrels(path: Path, *, note: Note = log_note) -> Qrels:
    """Read grades by query id and passage id; `note` gets what was left out or merged.

    The forms are TREC's and MS MARCO's four fields, BEIR's three, a table with a header that names its columns, a JSON
    object {query: {passage: grade}}, and JSON lines.

    Raises:
        CorpusError: a line can't be read, a pair has two grades, or queries are named by their texts.
    """
    return named_by_id(read_judgments(path, note=note), path)


def named_by_id(judgments: Judgments, path: Path) -> Qrels:
    """The grades of a file by query id. Raises CorpusError if it names queries by their texts."""
    if judgments.by_text:
        raise CorpusError(
            f"{path} names queries by their texts, as Quepid does; make qrels of it first: "
            f"python -m training judgments import {path} --output FOLDER."
        )
    return {QueryId(query): grades for query, grades in judgments.grades.items()}


def read_judgments(path: Path, *, note: Note = log_note) -> Judgments:
    """Read grades by whatever the file names its queries by. Raises CorpusError as `read_qrels` does."""
    tally = Tally(path)
    grades = _Grades(path, tally)
    by_text, source = (_read_json(path, grades), "") if holds_json(path) else _read_table(path, grades, tally)
    if not grades.grades:
        raise CorpusError(f"{path} holds no judgment; give a file with lines of {FORM}.")
    tally.tell(note)
    if source:
        count = sum(len(judged) for judged in grades.grades.values())
        people = "" if source == IMPORTED else ", not by people"
        note(f"{path}: {counted(count, 'judgment was', 'judgments were')} {source_words(source)}{people}.")
    return Judgments(grades.grades, by_text, source)


def source_words(source: str) -> str:
    """What a mark of judgments says, as part of a sentence."""
    known = {CLICKS: "made from clicks", IMPORTED: "brought in from a file"}
    return known.get(source) or f"made by the model {source.removeprefix(MODEL)}"


def default_minimum_grade(qrels: Qrels) -> int:
    """The default lowest grade that counts as relevant: 2 if there are grades above 1, else 1."""
    return 2 if any(grade > 1 for grades in qrels.values() for grade in grades.values()) else 1


class _Grades:
    """Grades as they are read; a pair that comes again must have its grade."""

    def __init__(self, path: Path, tally: Tally) -> None:
        self.grades: dict[str, dict[PassageId, int]] = {}
        self._lines: dict[str, dict[str, int]] = {}
        self._path, self._tally = path, tally

    def say(self, sentences: list[str]) -> None:
        """Keep sentences on the file."""
        for sentence in sentences:
            self._tally.say(sentence)

    def add(self, query: str, passage: str, grade: object, *, number: int, text: str) -> None:
        """Keep one grade. Raises CorpusError with the line."""
        problem = "" if query and passage else "an empty id"
        value: int | str | None = WHOLE.get(grade) if isinstance(grade, str) else None
        if value is None:
            value = whole_grade(grade)
        if isinstance(value, str):
            problem = problem or value
        elif not problem:
            grades, lines = self.grades.setdefault(query, {}), self._lines.setdefault(query, {})
            before = grades.setdefault(PassageId(passage), value)
            if passage in lines:
                if before == value:
                    self._tally.add(REPEAT, number)
                    return
                problem = (
                    f"grade {value} of query {query[:80]!r} and passage {passage[:80]!r}, which have grade {before} in "
                    f"line {lines[passage]:,}"
                )
            lines[passage] = number
            if is_rewritten(query) or is_rewritten(passage):
                self._tally.add(REWRITTEN, number)
        if problem:
            refuse(self._path, number, problem, text, form=FORM)


def whole_grade(value: object) -> int | str:
    """A grade, or what is wrong with it: 1, '1', '1.0' and 1.0 are grade 1."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    shown = str(value).strip() if isinstance(value, str | int | float) and not isinstance(value, bool) else repr(value)
    if not GRADE.fullmatch(shown):
        return f"grade {shown[:80]!r} is no whole number"
    whole = shown.partition(".")[0]
    if len(whole) > 12 or abs(int(whole)) > MOST:
        return (
            f"grade {shown[:30]!r} is outside of -{MOST:,} to {MOST:,} (an id, as in MS MARCO's qidpidtriples, or "
            "swapped columns?)"
        )
    return int(whole)


def _read_table(path: Path, grades: _Grades, tally: Tally) -> tuple[bool, str]:
    """Read lines of fields; whether queries are named by their texts, and the mark that all lines bear."""
    table = Table(path, NAMES, tally, form=FORM)
    shape = _Shape(table)
    for row in table:
        query, passage, grade = shape.parts(row)
        if shape.by_text and not grade:
            tally.add(UNRATED, row.number)
        else:
            grades.add(query, passage, grade, number=row.number, text=row.text)
    shape.check()
    if shape.nameless and _are_ranks(grades.grades):
        raise CorpusError(
            f"{path} has the numbers 1, 2, 3 and so on for each query where grades are expected: it is a run in MS "
            "MARCO's form (query, passage, rank), which judges nothing; give qrels."
        )
    return shape.by_text, shape.source


def _are_ranks(grades: Mapping[str, Mapping[PassageId, int]]) -> bool:
    """Whether each query's grades count from 1, and one's are more than anybody grades by."""
    lists = [list(judged.values()) for judged in grades.values()]
    return max(map(len, lists), default=0) >= RANKED and all(ranks == [*range(1, len(ranks) + 1)] for ranks in lists)


class _Shape:
    """Where a table's rows have their query, passage and grade: by its header, or by the number of fields."""

    def __init__(self, table: Table) -> None:
        self.by_text = False
        self.source = ""
        self._table = table
        self._width = 0
        self._first: Row | None = None
        self._swapped: Row | None = None
        """A row whose second column doesn't hold what TREC's holds."""
        self._numbered = True
        """Whether every first field so far is its row's number, and no second one is what TREC's holds."""
        self._unused_only = True
        """Whether every passage so far is called as TREC calls its second column."""
        self._rows = 0

    def parts(self, row: Row) -> tuple[str, str, str]:
        """Query, passage and grade of a row. Raises CorpusError if it has other fields than its file's first."""
        fields, columns = row.fields, self._table.columns
        self._rows += 1
        if columns is not None:
            self.by_text = QUERY not in columns
            return fields[columns.get(QUERY, columns.get(TEXT, 0))], fields[columns[PASSAGE]], fields[columns[JUDGED]]
        if len(fields) != self._width:
            self._begin(row)
        mark = fields[1] if len(fields) == 4 and fields[1] not in UNUSED else ""
        self._numbered = self._numbered and bool(mark) and fields[0] in (str(self._rows - 1), str(self._rows))
        source = mark if mark in (CLICKS, IMPORTED) or mark.startswith(MODEL) else ""
        if mark and not source:
            self._swapped = self._swapped or row
        if source != self.source:
            self._mark(row, source)
        if self._unused_only and fields[-2] not in UNUSED:
            self._unused_only = False
        return fields[0], fields[-2], fields[-1]

    def _begin(self, row: Row) -> None:
        count = len(row.fields)
        if self._first is not None:
            self._table.refuse(row, f"{count} fields, where line {self._first.number:,} has {self._width}")
        if len(row.fields) > 1 and row.fields[1].startswith("qid:"):
            self._table.refuse(row, "a line of RankLib's or SVMrank's features, which holds no passage id to find")
        if count not in (3, 4):
            self._table.refuse(row, OTHER_FILES.get(count, f"{count} {'field' if count == 1 else 'fields'}"))
        self._first, self._width = row, count

    def _mark(self, row: Row, source: str) -> None:
        """Take the mark of the first row. Raises CorpusError if another row bears another one."""
        if self._rows > 1:
            now, before = (source_words(name) if name else "made by people" for name in (source, self.source))
            self._table.refuse(row, f"{now}, where the lines before are {before} (keep the two in files of their own)")
        self.source = source

    @property
    def nameless(self) -> bool:
        """Whether rows are three fields without a header."""
        return self._table.columns is None and self._width == 3

    def check(self) -> None:
        """Refuse a file whose rows are numbered, or whose passages are all called as TREC calls its unused column."""
        first = self._first
        if first is None:
            return
        if not self._unused_only:
            if self._numbered and self._swapped is not None and self._rows > 1:
                self._table.refuse(first, "the first fields number the rows, as pandas does, and are no queries")
            return
        name = first.fields[-2]
        if self._swapped is not None:
            self._table.refuse(
                self._swapped,
                f"every passage is called {name!r}, so that none would be found in an index: the second "
                "and third columns are swapped",
            )
        if self._width == 3 and (self._rows > 1 or name != "0"):
            self._table.refuse(
                first,
                f"every passage is called {name!r}, as TREC's unused second column, so that none would be "
                "found in an index",
            )


def _read_json(path: Path, grades: _Grades) -> bool:
    """Read a JSON document, or JSON lines; whether queries are named by their texts."""
    value = document(path, form=FORM)
    if value is None:
        return _read_records(path, grades)
    if isinstance(value, dict) and isinstance(value.get("judgmentRatings"), list):
        value, by_text = _rated(path, value["judgmentRatings"]), True
    else:
        by_text = False
    if not isinstance(value, dict) or not all(isinstance(judged, dict) for judged in value.values()):
        raise CorpusError(f"{path} is JSON of another form; give {{query: {{passage: grade}}}}, or {FORM}.")
    for query, judged in value.items():
        for passage, grade in judged.items():
            grades.add(bare(query), bare(passage), grade, number=1, text=f"{query}: {passage}: {grade}")
    return by_text


def _rated(path: Path, ratings: list[Any]) -> dict[str, dict[str, object]]:
    """The judgments of an OpenSearch judgment list: {"query": TEXT, "ratings": [{"docId": ID, "rating": GRADE}]}."""
    found: dict[str, dict[str, object]] = {}
    for query, passage, grade in _rating_triples(path, ratings):
        judged = found.setdefault(query, {})
        if judged.setdefault(passage, grade) != grade:
            raise CorpusError(
                f"{path} rates {passage[:80]!r} for {query[:80]!r} as {judged[passage]!r} and as {grade!r}; keep one."
            )
    return found


def _rating_triples(path: Path, ratings: list[Any]) -> Iterator[tuple[str, str, object]]:
    for entry in ratings:
        try:
            for rated in entry["ratings"]:
                yield id_of(entry["query"]), id_of(rated["docId"]), rated["rating"]
        except (TypeError, KeyError) as error:
            raise CorpusError(
                f"{path} holds a judgment list with an entry of another form ({error}): {str(entry)[:80]!r}; give "
                '{"query": TEXT, "ratings": [{"docId": ID, "rating": GRADE}]}.'
            ) from None


def _read_records(path: Path, grades: _Grades) -> bool:
    by_text = False
    for record in records(path, form=FORM):
        names = list(record.values)
        columns = NAMES.columns(names)
        if columns is None:
            refuse_record(path, record, "an object without query, passage and grade", form=FORM)
        grades.say(NAMES.passed_over(names, columns))
        query, passage, grade = (
            record.values[names[columns[column]]] for column in (QUERY if QUERY in columns else TEXT, PASSAGE, JUDGED)
        )
        if grades.grades and by_text != (QUERY not in columns):
            now, before = ("id", "texts") if by_text else ("text", "ids")
            refuse_record(path, record, f"a query named by its {now}, where those before are by {before}", form=FORM)
        by_text = QUERY not in columns
        grades.add(id_of(query), id_of(passage), grade, number=record.number, text=record.text)
    return by_text
