"""The queries that a candidate answers better or worse than the served version, with what each puts first."""

from collections.abc import Mapping
from dataclasses import dataclass

from indexing.records import Query, QueryId, Run
from training.evaluation.candidates import Candidates
from training.evaluation.significance import Outcomes, outcome, outcomes

MOST = 3  # queries that gain, and as many that lose
FIRST = 3  # passages of each list


@dataclass(frozen=True)
class PlacedPassage:
    """A passage in its place, which is that in its list."""

    text: str
    grade: int | None
    """None where nobody judged it."""


@dataclass(frozen=True, kw_only=True)
class ChangedQuery:
    """One query that became better or worse."""

    query: str
    before: float
    """The served version's value by the gate's measure."""
    after: float
    """The candidate's."""
    served: tuple[PlacedPassage, ...]
    """What the served version puts first, the best first."""
    candidate: tuple[PlacedPassage, ...]


@dataclass(frozen=True, kw_only=True)
class QueryChanges:
    """How many queries changed, and those that changed most."""

    outcomes: Outcomes
    """Of the candidate, over all queries."""
    gained: tuple[ChangedQuery, ...]
    """At most MOST, those that gain most first."""
    lost: tuple[ChangedQuery, ...]
    """At most MOST, those that lose most first."""

    def sentence(self) -> str:
        """How many won, lost and tied."""
        wins, losses, ties = self.outcomes
        return f"Of these queries {wins:,} won, {losses:,} lost and {ties:,} tied."


def changed_queries(
    lists: Candidates,
    *,
    candidate: Run,
    served: Run,
    after: Mapping[QueryId, float],
    before: Mapping[QueryId, float],
) -> QueryChanges:
    """The queries that changed by the measure; of equal ones, those with the lower ids come first.

    `after` holds the candidate's value of each query, `before` the served version's.
    """
    gains = {query.id: after[query.id] - before[query.id] for query in lists.queries}

    def most(sign: int) -> tuple[ChangedQuery, ...]:
        wanted = "win" if sign > 0 else "loss"
        moved = [query for query in lists.queries if outcome(gains[query.id]) == wanted]
        moved.sort(key=lambda query: (-sign * gains[query.id], query.id))
        return tuple(changed(query) for query in moved[:MOST])

    def changed(query: Query) -> ChangedQuery:
        return ChangedQuery(
            query=query.text,
            before=before[query.id],
            after=after[query.id],
            served=_first(query.id, served, lists),
            candidate=_first(query.id, candidate, lists),
        )

    return QueryChanges(outcomes=outcomes(list(gains.values())), gained=most(1), lost=most(-1))


def _first(query: QueryId, run: Run, lists: Candidates) -> tuple[PlacedPassage, ...]:
    grades = lists.qrels[query]
    ids = run[query].passage_ids[:FIRST]
    return tuple(PlacedPassage(lists.texts[passage_id], grades.get(passage_id)) for passage_id in ids)
