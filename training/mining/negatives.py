"""Chooses hard negatives of one query from a ranking, judgments, scores and texts, without a model or an index.

A candidate that isn't judged may still answer the query. Such false negatives are avoided by margins below the
scores of the positives, by limits on the score, and by comparing texts. Passages judged 0 are no guess: margins
and `max_score` don't touch them.
"""

import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from indexing.records import Candidate, PassageId, QueryId, Ranking
from training.mining.near_duplicates import NearDuplicates
from training.mining.settings import MiningSettings, value_or

RULES = (
    *("outside ranks", "judged relevant", "near-duplicate"),
    *("relative margin", "absolute margin", "max score", "min score"),
)
"""In the order in which they are applied; a candidate counts for the first that drops it."""
Text = Callable[[PassageId], str]
Rescore = Callable[[Sequence[PassageId]], Mapping[PassageId, float]]
"""A re-ranker's raw score of each of these passages for the query at hand."""


@dataclass(frozen=True)
class QueryCandidates:
    """One query's ranking, its judgments, and the scores of its relevant passages."""

    query_id: QueryId
    ranking: Ranking
    judged: Mapping[PassageId, int]
    relevant_scores: Mapping[PassageId, float]
    """Of every passage judged above 0 that has a text, its score on the ranking's scale, returned or not."""
    unscored: frozenset[PassageId] = frozenset()
    """Those of them whose score is only known to be below the ranking's: no margin is taken from it."""
    relevant_texts: Sequence[str] = ()
    """Texts of relevant passages that have no id in the index; negatives mustn't read like them either."""


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
    candidates: QueryCandidates, settings: MiningSettings, *, text: Text, rescore: Rescore | None = None
) -> MinedQuery:
    """Screen a query's candidates and draw from them; a query without a positive gets no negative either.

    With `rescore`, margins, limits, order and the scores returned are the re-ranker's; ranks are the first
    stage's. The draw depends on the seed and the query's id alone, not on other queries.
    """
    if not _positives(candidates, settings):
        return MinedQuery(candidates.query_id, (), (), {})
    pool = screen(candidates, settings, text=text, rescore=rescore)
    drawn = draw(pool.candidates, settings, random.Random(f"{settings.seed}/{candidates.query_id}"))
    return MinedQuery(
        candidates.query_id,
        pool.positives,
        tuple(drawn),
        pool.dropped,
        judged_negatives=sum(candidate.passage_id in candidates.judged for candidate in drawn),
        not_drawn=len(pool.candidates) - len(drawn),
        rescored=pool.rescored,
    )


def screen(
    candidates: QueryCandidates, settings: MiningSettings, *, text: Text | None = None, rescore: Rescore | None = None
) -> Pool:
    """Drop candidates rule by rule. Without `text`, near-duplicates stay; without a scored positive, margins don't
    apply.

    A margin from a positive that fusion never saw would drop every candidate, so one that is unscored sets none.
    """
    judged, (first, last) = candidates.judged, settings.ranks
    sieve = _Sieve(candidates.ranking)
    sieve.keep("outside ranks", lambda candidate: first <= candidate.rank <= last)
    sieve.keep("judged relevant", lambda candidate: judged.get(candidate.passage_id, 0) <= 0)
    if text is not None:
        relevant = (*map(text, candidates.relevant_scores), *candidates.relevant_texts)
        known = NearDuplicates(relevant, share=settings.near_duplicate)
        sieve.keep("near-duplicate", lambda candidate: not known.match(text(candidate.passage_id)))
    positives = _positives(candidates, settings)
    margins_from = [entry for entry in positives if entry.passage_id not in candidates.unscored]
    rescored = 0
    if rescore is not None:
        logits = rescore([*(entry.passage_id for entry in positives), *(entry.passage_id for entry in sieve.left)])
        positives = margins_from = [entry._replace(score=logits[entry.passage_id]) for entry in positives]
        sieve.left = [entry._replace(score=logits[entry.passage_id]) for entry in sieve.left]
        rescored = len(logits)
    for rule, ceiling in _ceilings(margins_from, settings).items():
        sieve.keep(rule, lambda entry, most=ceiling: entry.passage_id in judged or entry.score <= most)  # type: ignore[misc]  # bound default
    sieve.keep("min score", lambda candidate: candidate.score >= value_or(settings.min_score, -math.inf))
    left = sorted(sieve.left, key=lambda candidate: (-candidate.score, candidate.rank))
    positives = sorted(positives, key=lambda entry: (-entry.grade, -entry.score, entry.passage_id))
    return Pool(tuple(positives), tuple(left), sieve.dropped, rescored)


def draw_negatives(
    zeros: Sequence[PassageId], mined: Sequence[PassageId], room: int, rng: random.Random, *, fill: bool
) -> tuple[list[PassageId], list[PassageId]]:
    """Passages judged 0 and mined ones for `room` places of a list: half of each, the odd place for a judged one.

    Where the mined ones don't take their half, judged ones fill it, if `fill` says so or there is no mined one at all;
    mined ones always take the places that judged ones leave.
    """
    half = (room + 1) // 2
    most = max(half, room - len(mined)) if fill or not mined else half
    judged = rng.sample(zeros, min(len(zeros), most))
    return judged, rng.sample(mined, min(len(mined), room - len(judged)))


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


def _positives(candidates: QueryCandidates, settings: MiningSettings) -> list[Positive]:
    ranks = candidates.ranking.ranks()
    graded = {passage_id: candidates.judged.get(passage_id, 0) for passage_id in candidates.relevant_scores}
    return [
        Positive(passage_id, grade, ranks.get(passage_id), candidates.relevant_scores[passage_id])
        for passage_id, grade in graded.items()
        if grade >= settings.minimum_grade
    ]


def _ceilings(positives: Sequence[Positive], settings: MiningSettings) -> dict[str, float]:
    """The highest score that each rule lets an unjudged candidate have."""
    limits = {"max score": value_or(settings.max_score, math.inf)}
    if not positives:
        return limits
    lowest = min(positive.score for positive in positives)
    relative, absolute = settings.relative_margin, settings.absolute_margin
    return {
        "relative margin": math.inf if relative is None else lowest - relative * abs(lowest),
        "absolute margin": math.inf if absolute is None else lowest - absolute,
    } | limits


def draw(pool: Sequence[Candidate], settings: MiningSettings, rng: random.Random) -> list[Candidate]:
    """`per_query` of the candidates, or all where there are fewer, by the settings' sampling and in their order."""
    count = min(settings.per_query, len(pool))
    if settings.sampling == "top":
        return list(pool[:count])
    if settings.sampling == "random":
        return [pool[place] for place in sorted(rng.sample(range(len(pool)), count))]
    return spread(pool, count, rng)
