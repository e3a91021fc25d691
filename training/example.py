"""Training examples: a query with some of its passages, each graded by people or scored by a teacher."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from indexing.records import QueryId


@dataclass(frozen=True, slots=True)
class Example:
    """One query and its passages, with grades, with a teacher's scores, or with both."""

    source: str
    """Short name of its origin; model cards count examples by it."""
    query: str
    passages: tuple[str, ...]
    labels: tuple[float, ...] | None = None
    """Grade of each passage, 0 or more; above 0 is relevant. None if nobody judged them."""
    scores: tuple[float, ...] | None = None
    """A teacher's score of each passage, higher is better, on one scale for all queries. None without a teacher."""
    query_id: QueryId | None = None
    """The query's id in its data set; None if it has none."""

    def __post_init__(self) -> None:
        if not self.passages:
            raise ValueError(f"an example needs a passage: {self}")
        for values in (self.labels, self.scores):
            if values is not None and len(values) != len(self.passages):
                raise ValueError(f"{len(self.passages)} passages but {len(values)} labels or scores: {self}")
        if self.labels is None and self.scores is None:
            raise ValueError(f"an example needs labels or scores: {self}")


Examples = Iterable[Example]
OnSkip = Callable[[str], None]
"""Called with one of the reasons below for each query or passage that is left out."""
PROTECTED = "protected query"
NO_QUERY = "query without a text"
NO_JUDGMENT = "query without judgments"
NO_POSITIVE = "query without a relevant passage"
NO_NEGATIVE = "query without a passage beside the relevant ones"
NO_TEACHER = "query without scores in the teacher's files"
SAME_SCORES = "query without 2 passages of different scores in the run"
CONTRADICTED = "passage given as not relevant to a query that it is also given as relevant to"
NO_PASSAGE = "passage that the index lacks"


def ignore(reason: str) -> None:
    """Do nothing: queries and passages that are left out aren't counted."""
