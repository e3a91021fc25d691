"""What is trained on: a query with some of its passages, and what judges or a teacher say of them."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from indexing.records import Query, QueryId


@dataclass(frozen=True, slots=True)
class Example:
    """One query and its passages, with grades, with a teacher's scores, or with both."""

    source: str
    """Where it comes from, in few words: a model card counts examples by it."""
    query: str
    passages: tuple[str, ...]
    labels: tuple[float, ...] | None = None
    """Grade of each passage, 0 or more; above 0 is relevant. None where nobody judged."""
    scores: tuple[float, ...] | None = None
    """A teacher's score of each passage, higher is better, on one scale for all queries. None without a teacher."""
    query_id: QueryId | None = None
    """The id that the query has in its data set; None where it has none."""

    def __post_init__(self) -> None:
        if not self.passages:
            raise ValueError(f"an example needs a passage: {self}")
        for values in (self.labels, self.scores):
            if values is not None and len(values) != len(self.passages):
                raise ValueError(f"{len(self.passages)} passages but {len(values)} labels or scores: {self}")
        if self.labels is None and self.scores is None:
            raise ValueError(f"an example needs labels or scores: {self}")


Examples = Iterable[Example]


class Protects(Protocol):
    """Knows queries that must not be trained on."""

    def covers(self, query: Query) -> bool:
        """Whether this is one of them."""


def unprotected(
    examples: Examples, protection: Protects, *, dropped: Callable[[], None] = lambda: None
) -> Iterator[Example]:
    """The examples whose queries aren't protected by id or by text; `dropped` is called for each other one."""
    for example in examples:
        if protection.covers(Query(example.query_id or QueryId(""), example.query)):
            dropped()
        else:
            yield example


Skipped = Callable[[str], None]
"""Called with the reason for each thing that is left out."""
NO_POSITIVE = "no positive"
ALONE = "no passage beside the positives"
NO_JUDGMENT = "query without judgments"
NO_QUERY = "query id not in the queries"
NO_PASSAGE = "passage id not in the index"
