"""The judges' grades of a query's passages."""

from collections.abc import Mapping
from dataclasses import dataclass

from app import resources
from app.resources import SharedPipeline
from app.views.widgets.notices import note
from indexing.errors import CorpusError
from indexing.judged.sets import JudgedSet
from indexing.records import PassageId, QueryId, Ranking
from search.trace import SearchTrace
from training.evaluation.measures import measure_run
from training.evaluation.settings import MAIN_MEASURE

GRADES = {3: "answers", 2: "partly", 1: "related", 0: "not relevant"}
NOT_JUDGED = "not judged"


@dataclass(frozen=True)
class Judgment:
    """The grades of one query's passages."""

    split: str
    query_id: QueryId
    grades: Mapping[PassageId, int]

    def word(self, passage_id: PassageId) -> tuple[str, str]:
        """A passage's grade in words, and the name of its style."""
        grade = self.grades.get(passage_id)
        if grade is None:
            return NOT_JUDGED, "none"
        shown = min(max(grade, 0), max(GRADES))
        return GRADES[shown], str(shown)

    def ndcg(self, ranking: Ranking) -> float:
        """nDCG@10 of one ranking for this query."""
        measures = measure_run(
            {self.query_id: ranking}, {self.query_id: self.grades}, minimum_grade=1, names=[MAIN_MEASURE]
        )
        return measures.per_query[MAIN_MEASURE][self.query_id]

    def before_and_after(self, trace: SearchTrace) -> tuple[float, float]:
        """nDCG@10 of the first stage and of the final list."""
        return self.ndcg(trace.fused), self.ndcg(trace.final)


def find_judgment(sets: Mapping[str, JudgedSet], text: str) -> Judgment | None:
    """The judgments of the query with this text, from the first of test, dev and train that has it."""
    for split in ("test", "dev", "train"):
        query = sets[split].find(text) if split in sets else None
        if query is not None:
            return Judgment(split, query.id, sets[split].qrels[query.id])
    return None


def load_judgments(shared: SharedPipeline) -> dict[str, JudgedSet]:
    """The judged splits of an index; empty, with a note on the page, where they can't be read."""
    try:
        return resources.judgments(shared)
    except CorpusError as error:
        note(f"The judgments can't be shown: {error}")
        return {}
