"""The judges' grades of a query's passages."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from app import resources
from app.resources import SharedPipeline
from app.views.widgets.notices import note
from indexing.errors import CorpusError
from indexing.judged.fit import Collection, is_own_passage, leave_out, listed
from indexing.judged.sets import JudgedSet
from indexing.records import PassageId, QueryId, Ranking
from search.trace import SearchTrace
from training.evaluation.measures import measure_run
from training.evaluation.settings import MAIN_MEASURE

GRADES = {3: "answers", 2: "partly", 1: "related", 0: "not relevant"}
NOT_JUDGED = "not judged"


def grade_label(grade: int) -> str:
    """A grade's number and name, as on the buttons: `3 · Answers`."""
    return f"{grade} · {GRADES[grade].capitalize()}"


def grade_word(grade: int | None) -> tuple[str, str]:
    """A grade in words, and the name of its style; None is a passage that nobody judged."""
    if grade is None:
        return NOT_JUDGED, "none"
    shown = min(max(grade, 0), max(GRADES))
    return GRADES[shown], str(shown)


@dataclass(frozen=True)
class Judgment:
    """The grades of one query's passages."""

    split: str
    query_id: QueryId
    grades: Mapping[PassageId, int]
    own: bool = False
    """Whether the query is a passage of the index itself, which never counts for it."""
    notes: tuple[str, ...] = ()
    """Where the judgments and the index don't fit, in sentences."""

    def word(self, passage_id: PassageId) -> tuple[str, str]:
        """A passage's grade in words, and the name of its style."""
        return grade_word(self.grades.get(passage_id))

    def ndcg(self, ranking: Ranking) -> float:
        """nDCG@10 of one ranking for this query; where the query is a passage itself, that one isn't counted."""
        counted = leave_out(ranking, self.query_id) if self.own else ranking
        measures = measure_run(
            {self.query_id: counted}, {self.query_id: self.grades}, minimum_grade=1, names=[MAIN_MEASURE]
        )
        return measures.per_query[MAIN_MEASURE][self.query_id]

    def before_and_after(self, trace: SearchTrace) -> tuple[float, float]:
        """nDCG@10 of the first stage and of the final list."""
        return self.ndcg(trace.fused), self.ndcg(trace.final)


def find_judgment(sets: Mapping[str, JudgedSet], text: str, passages: Collection | None = None) -> Judgment | None:
    """The judgments of the query with this text, from the first of test, dev and train that has it.

    They are compared with `passages`, those of the index, if these are given.
    """
    for split in ("test", "dev", "train"):
        query = sets[split].find(text) if split in sets else None
        if query is not None:
            grades = sets[split].qrels[query.id]
            if passages is None:
                return Judgment(split, query.id, grades)
            own = is_own_passage(query, passages)
            counted = {name: grade for name, grade in grades.items() if not own or str(name) != query.id}
            return Judgment(split, query.id, counted, own, tuple(_misfits(counted, passages, own=own)))
    return None


def _misfits(grades: Mapping[PassageId, int], passages: Collection, *, own: bool) -> Iterator[str]:
    absent = [name for name in grades if name not in passages]
    if absent:
        are = "isn't" if len(absent) == 1 else "aren't"
        yield f"{len(absent):,} of the query's {len(grades):,} judged passages {are} in this index: {listed(absent)}."
    if own:
        yield "This query is itself a passage of this index, which isn't counted as a result of its own."


def load_judgments(shared: SharedPipeline) -> dict[str, JudgedSet]:
    """The judged splits of an index; empty, with a note on the page, where they can't be read."""
    try:
        return resources.judgments(shared)
    except CorpusError as error:
        note(f"The judgments can't be shown: {error}")
        return {}
