"""Chooses hard negatives of one query from a ranking, judgments, scores and texts, without a model or an index.

An unjudged candidate may still answer the query. Such false negatives are avoided by margins below the scores of the
positives, by limits on the score, and by comparing texts. Passages judged 0 are known negatives, so margins and
`max_score` don't apply to them.
"""

import math
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from indexing.corpus.same_text import text_key
from indexing.records import Candidate, PassageId, QueryId, Ranking
from training.mining.near_duplicates import NearDuplicates
from training.mining.settings import MiningSettings, value_or

RULES = (
    *("outside ranks", "judged relevant", "near-duplicate", "repeated text"),
    *("relative margin", "absolute margin", "max score", "min score"),
)
"""In the order in which they are applied; a candidate counts for the first rule that drops it."""
T = TypeVar("T")
Text = Callable[[PassageId], str]
Rescore = Callable[[Sequence[PassageId]], Mapping[PassageId, float]]
"""Returns a re-ranker's raw score of each of these passages for the current query."""


@dataclass(frozen=True)
class QueryCandidates:
    """One query's ranking, its judgments, and the scores of its relevant passages."""

    query_id: QueryId
    ranking: Ranking
    judged: Mapping[PassageId, int]
    relevant_scores: Mapping[PassageId, float]
    """Score, on the ranking's scale, of every passage judged above 0 that has a text, returned or not."""
    unscored: frozenset[PassageId] = frozenset()
    """Relevant passages whose score is only known to be below the ranking's; they set no margin."""
    relevant_texts: Sequence[str] = ()
    """Texts of relevant passages that have no id in the index; negatives must not read like them either."""


class Positive(NamedTuple):
    """A judged passage that answers the query; `rank` is None if the first stage didn't return it."""

    passage_id: PassageId
    grade: int
    rank: int | None
    score: float


@dataclass(frozen=True)
class Pool:
    """A query's positives, and the candidates that passed the rules."""

    positives: tuple[Positive, ...]
    """Highest grade first, then highest score."""
    candidates: tuple[Candidate, ...]
    """Highest score first; `rank` is always the first stage's, even if a re-ranker scored them."""
    dropped: Mapping[str, int]
    """Number of candidates that each rule dropped."""
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
    """Candidates that passed the rules but weren't drawn."""
    rescored: int = 0


def hard_negatives(
    candidates: QueryCandidates, settings: MiningSettings, *, text: Text, rescore: Rescore | None = None
) -> MinedQuery:
    """Screen a query's candidates and draw negatives from them; a query without a positive gets no negatives.

    With `rescore`, margins, limits, order and returned scores use the re-ranker's scores; ranks stay the first
    stage's. The draw depends only on the seed and the query's id, not on other queries.
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
    """Drop candidates rule by rule. Without `text`, near-duplicates and repeats stay; without a scored positive, no
    margin applies.

    Of positives that say the same, and of candidates that do, only the best one stays.
    An unscored positive sets no margin: fusion never saw it, so its margin would drop every candidate.
    """
    judged, (first, last) = candidates.judged, settings.ranks
    sieve = _Sieve(candidates.ranking)
    sieve.keep("outside ranks", lambda candidate: first <= candidate.rank <= last)
    sieve.keep("judged relevant", lambda candidate: judged.get(candidate.passage_id, 0) <= 0)
    if text is not None:
        relevant = (*map(text, candidates.relevant_scores), *candidates.relevant_texts)
        known = NearDuplicates(relevant, share=settings.near_duplicate)
        sieve.keep("near-duplicate", lambda candidate: not known.match(text(candidate.passage_id)))
        first_ones = set(distinct((candidate.passage_id for candidate in sieve.left), text))
        sieve.keep("repeated text", lambda candidate: candidate.passage_id in first_ones)
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
    if text is not None:
        best_ones = set(distinct((entry.passage_id for entry in positives), text))
        positives = [entry for entry in positives if entry.passage_id in best_ones]
    return Pool(tuple(positives), tuple(left), sieve.dropped, rescored)


def distinct(passage_ids: Iterable[PassageId], text: Text) -> list[PassageId]:
    """The passages in their order; of those whose texts say the same, only the first."""
    first: dict[str, PassageId] = {}
    for passage_id in passage_ids:
        first.setdefault(text_key(text(passage_id)), passage_id)
    return list(first.values())


def draw_negatives(
    zeros: Sequence[PassageId], mined: Sequence[PassageId], room: int, rng: random.Random, *, fill: bool
) -> tuple[list[PassageId], list[PassageId]]:
    """Passages judged 0 and mined ones for `room` places of a list: half of each, and an odd place for a judged one.

    If there are too few mined ones for their half, judged ones fill it with `fill`, or if there are no mined ones at
    all; mined ones always take the places that judged ones leave.
    """
    half = (room + 1) // 2
    most = max(half, room - len(mined)) if fill or not mined else half
    judged = rng.sample(zeros, min(len(zeros), most))
    return judged, rng.sample(mined, min(len(mined), room - len(judged)))


def spread(pool: Sequence[T], count: int, rng: random.Random) -> list[T]:
    """Draw `count` of a pool, in order: half from its first tenth, a quarter from its first half, the rest from all."""
    chosen: list[int] = []
    for share, upto in ((count // 2, max(count, len(pool) // 10)), (count // 4, len(pool) // 2), (count, len(pool))):
        left = [place for place in range(min(upto, len(pool))) if place not in chosen]
        chosen += rng.sample(left, min(len(left), share, count - len(chosen)))
    return [pool[place] for place in sorted(chosen)]


class _Sieve:
    """The candidates that have passed every rule so far, and the number that each rule dropped."""

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
    """The highest score that each rule allows an unjudged candidate."""
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
    """Draw `per_query` of the candidates (all, if there are fewer) by the settings' sampling, in their order."""
    count = min(settings.per_query, len(pool))
    if settings.sampling == "top":
        return list(pool[:count])
    if settings.sampling == "random":
        return [pool[place] for place in sorted(rng.sample(range(len(pool)), count))]
    return spread(pool, count, rng)
