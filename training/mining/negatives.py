"""Hard negatives of one query, on paper: a ranking, judgments, scores and texts go in, no model and no index.

A candidate that isn't judged may answer the query all the same. Such false negatives are kept out by margins below
the scores of the positives, by limits on the score, and by comparing texts. Passages judged 0 are no guess: margins
and `max_score` don't touch them.
"""

import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from indexing.records import Candidate, PassageId, QueryId, Ranking
from training.mining.near_duplicates import NearDuplicates
from training.mining.settings import MiningSettings, _or

RULES = (
    *("outside ranks", "judged relevant", "near-duplicate"),
    *("relative margin", "absolute margin", "max score", "min score"),
)
"""In the order in which they are applied; a candidate counts for the first that drops it."""
Text = Callable[[PassageId], str]
Rescore = Callable[[Sequence[PassageId]], Mapping[PassageId, float]]
"""A re-ranker's raw score of each of these passages for the query at hand."""


@dataclass(frozen=True)
class Retrieved:
    """What mining needs to know of one query."""

    query_id: QueryId
    ranking: Ranking
    judged: Mapping[PassageId, int]
    relevant_scores: Mapping[PassageId, float]
    """Of every passage judged above 0 that has a text, its score on the ranking's scale, returned or not."""
    unscored: frozenset[PassageId] = frozenset()
    """Those of them whose score is only known to be below the ranking's: no margin is taken from it."""


class Positive(NamedTuple):
    """A judged passage that answers the query; `rank` is None where the first stage didn't return it."""

    passage_id: PassageId
    grade: int
    rank: int | None
    score: float


@dataclass(frozen=True)
class Pool:
    """What the rules left of a query's candidates."""

    positives: tuple[Positive, ...]
    """Highest grade first, then highest score."""
    candidates: tuple[Candidate, ...]
    """Highest score first; `rank` stays the first stage's, whatever scored them."""
    dropped: Mapping[str, int]
    """Candidates by the rule that dropped them."""
    rescored: int
    """Passages that the re-ranker scored."""


@dataclass(frozen=True)
class MinedQuery:
    """One query's positives and the negatives drawn for it, ordered as in a Pool."""

    query_id: QueryId
    positives: tuple[Positive, ...]
    negatives: tuple[Candidate, ...]
    dropped: Mapping[str, int]
    judged_negatives: int = 0
    """Negatives that are judged 0 or less."""
    not_drawn: int = 0
    """Candidates that no rule dropped and no draw took."""
    rescored: int = 0


def hard_negatives(
    retrieved: Retrieved, settings: MiningSettings, *, text: Text, rescore: Rescore | None = None
) -> MinedQuery:
    """Screen a query's candidates and draw from them; a query without a positive gets no negative either.

    With `rescore`, margins, limits, order and the scores given back are the re-ranker's; ranks are the first
    stage's. The draw depends on the seed and the query's id alone, not on other queries.
    """
    if not _positives(retrieved, settings):
        return MinedQuery(retrieved.query_id, (), (), {})
    pool = screen(retrieved, settings, text=text, rescore=rescore)
    drawn = _draw(pool.candidates, settings, random.Random(f"{settings.seed}/{retrieved.query_id}"))
    return MinedQuery(
        retrieved.query_id,
        pool.positives,
        tuple(drawn),
        pool.dropped,
        judged_negatives=sum(candidate.passage_id in retrieved.judged for candidate in drawn),
        not_drawn=len(pool.candidates) - len(drawn),
        rescored=pool.rescored,
    )


def screen(
    retrieved: Retrieved, settings: MiningSettings, *, text: Text | None = None, rescore: Rescore | None = None
) -> Pool:
    """Drop candidates rule by rule. Without `text` near-duplicates stay; no scored positive, no margins.

    A margin from a positive that fusion never saw would drop every candidate, so one that is unscored sets none.
    """
    judged, (first, last) = retrieved.judged, settings.ranks
    sieve = _Sieve(retrieved.ranking)
    sieve.keep("outside ranks", lambda candidate: first <= candidate.rank <= last)
    sieve.keep("judged relevant", lambda candidate: judged.get(candidate.passage_id, 0) <= 0)
    if text is not None:
        known = NearDuplicates(map(text, retrieved.relevant_scores), share=settings.near_duplicate)
        sieve.keep("near-duplicate", lambda candidate: not known.match(text(candidate.passage_id)))
    positives = _positives(retrieved, settings)
    margins_from = [entry for entry in positives if entry.passage_id not in retrieved.unscored]
    rescored = 0
    if rescore is not None:
        logits = rescore([*(entry.passage_id for entry in positives), *(entry.passage_id for entry in sieve.left)])
        positives = margins_from = [entry._replace(score=logits[entry.passage_id]) for entry in positives]
        sieve.left = [entry._replace(score=logits[entry.passage_id]) for entry in sieve.left]
        rescored = len(logits)
    for rule, ceiling in _ceilings(margins_from, settings).items():
        sieve.keep(rule, lambda entry, most=ceiling: entry.passage_id in judged or entry.score <= most)  # type: ignore[misc]  # bound default
    sieve.keep("min score", lambda candidate: candidate.score >= _or(settings.min_score, -math.inf))
    candidates = sorted(sieve.left, key=lambda candidate: (-candidate.score, candidate.rank))
    positives = sorted(positives, key=lambda entry: (-entry.grade, -entry.score, entry.passage_id))
    return Pool(tuple(positives), tuple(candidates), sieve.dropped, rescored)


def spread(pool: Sequence[Candidate], count: int, rng: random.Random) -> list[Candidate]:
    """`count` of a pool, in its order: half of its first tenth, a quarter of its first half, the rest of all."""
    chosen: list[int] = []
    for share, upto in ((count // 2, max(count, len(pool) // 10)), (count // 4, len(pool) // 2), (count, len(pool))):
        left = [place for place in range(min(upto, len(pool))) if place not in chosen]
        chosen += rng.sample(left, min(len(left), share, count - len(chosen)))
    return [pool[place] for place in sorted(chosen)]


class _Sieve:
    """Candidates that passed every rule so far, and how many each rule dropped."""

    def __init__(self, ranking: Ranking) -> None:
        self.left = list(ranking)
        self.dropped = dict.fromkeys(RULES, 0)

    def keep(self, rule: str, passes: Callable[[Candidate], bool]) -> None:
        before = len(self.left)
        self.left = [candidate for candidate in self.left if passes(candidate)]
        self.dropped[rule] += before - len(self.left)


def _positives(retrieved: Retrieved, settings: MiningSettings) -> list[Positive]:
    ranks = retrieved.ranking.ranks()
    graded = {passage_id: retrieved.judged.get(passage_id, 0) for passage_id in retrieved.relevant_scores}
    return [
        Positive(passage_id, grade, ranks.get(passage_id), retrieved.relevant_scores[passage_id])
        for passage_id, grade in graded.items()
        if grade >= settings.minimum_grade
    ]


def _ceilings(positives: Sequence[Positive], settings: MiningSettings) -> dict[str, float]:
    """The highest score that each rule lets an unjudged candidate have."""
    limits = {"max score": _or(settings.max_score, math.inf)}
    if not positives:
        return limits
    lowest = min(positive.score for positive in positives)
    relative, absolute = settings.relative_margin, settings.absolute_margin
    return {
        "relative margin": math.inf if relative is None else lowest - relative * abs(lowest),
        "absolute margin": math.inf if absolute is None else lowest - absolute,
    } | limits


def _draw(pool: Sequence[Candidate], settings: MiningSettings, rng: random.Random) -> list[Candidate]:
    count = min(settings.per_query, len(pool))
    if settings.sampling == "top":
        return list(pool[:count])
    if settings.sampling == "random":
        return [pool[place] for place in sorted(rng.sample(range(len(pool)), count))]
    return spread(pool, count, rng)
