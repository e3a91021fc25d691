"""The queries that a candidate answers worse than the promoted version, with what each puts first."""

from collections.abc import Mapping
from dataclasses import dataclass

from indexing.records import QueryId, Run
from training.evaluation.candidates import Candidates
from training.evaluation.significance import TIE

MOST = 5  # queries
FIRST = 3  # passages of each list


@dataclass(frozen=True)
class PlacedPassage:
    """A passage in its place, which is that in its list."""

    text: str
    grade: int | None
    """None where nobody judged it."""


@dataclass(frozen=True, kw_only=True)
class Regression:
    """One query that became worse."""

    query: str
    before: float
    """The promoted version's value by the gate's measure."""
    after: float
    """The candidate's."""
    promoted: tuple[PlacedPassage, ...]
    """What the promoted version puts first, the best first."""
    candidate: tuple[PlacedPassage, ...]


def worst_regressions(
    lists: Candidates,
    *,
    candidate: Run,
    promoted: Run,
    after: Mapping[QueryId, float],
    before: Mapping[QueryId, float],
) -> tuple[Regression, ...]:
    """At most MOST queries that lose by the measure, those that lose most first; of equal ones, by their ids.

    `after` holds the candidate's value of each query, `before` the promoted version's.
    """
    lost = [query for query in lists.queries if before[query.id] - after[query.id] > TIE]
    lost.sort(key=lambda query: (after[query.id] - before[query.id], query.id))
    return tuple(
        Regression(
            query=query.text,
            before=before[query.id],
            after=after[query.id],
            promoted=_first(query.id, promoted, lists),
            candidate=_first(query.id, candidate, lists),
        )
        for query in lost[:MOST]
    )


def _first(query: QueryId, run: Run, lists: Candidates) -> tuple[PlacedPassage, ...]:
    grades = lists.qrels[query]
    ids = run[query].passage_ids[:FIRST]
    return tuple(PlacedPassage(lists.texts[passage_id], grades.get(passage_id)) for passage_id in ids)
