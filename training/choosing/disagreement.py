"""The queries that would tell most if they were judged: those whose lists two pipelines order most differently."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from indexing.records import PassageId, Query, Ranking
from search.overlap import rank_biased_overlap

SHOWN = 20
CUTOFF = 10


class Disagreement(NamedTuple):
    """One query on which two pipelines disagree."""

    query: Query
    overlap: float
    """Rank-biased overlap of the two lists' first ten, 0 to 1."""
    unjudged: int
    """Passages among both first tens that nobody has judged for this query."""

    def as_json(self) -> dict[str, Any]:
        """All fields."""
        return {"query": self.query.id, "text": self.query.text, "rbo": self.overlap, "unjudged": self.unjudged}


def disagreements(
    lists: Iterable[tuple[Query, Ranking, Ranking]], grades: Mapping[Any, Mapping[PassageId, int]] | None = None
) -> list[Disagreement]:
    """Every query with two lists, those first that disagree most; `grades` are the judgments at hand, by query."""
    found = []
    for query, first, second in lists:
        heads = (first.top(CUTOFF), second.top(CUTOFF))
        shown = {name for head in heads for name in head.passage_ids}
        unjudged = len(shown - (grades or {}).get(query.id, {}).keys())
        found.append(Disagreement(query, rank_biased_overlap(*heads), unjudged))
    return sorted(found, key=lambda one: (one.overlap, -one.unjudged, one.query.id))
