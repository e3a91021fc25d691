"""Training groups: a query, some of its passages, and a target logit for each."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from indexing.errors import SettingsError
from indexing.records import PassageId, Qrels, QueryId, Ranking, Run
from indexing.typed_json import check_types
from training.mining import negatives
from training.mining import settings as mine
from training.targets import as_logits, grade_as_logit, run_as_logits


@dataclass(frozen=True, slots=True)
class TrainingGroup:
    """One query with passages and target logits; only the differences between targets matter."""

    query_id: QueryId
    passage_ids: tuple[PassageId, ...]
    targets: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.passage_ids) != len(self.targets) or len(self.passage_ids) < 2:
            raise ValueError(f"a group needs at least two passages and one target for each: {self}")


@dataclass(frozen=True)
class GroupSettings:
    """How the passages of a group are chosen from a first-stage run."""

    per_query: int = 8
    """Passages in a group, positives included."""
    ranks: tuple[int, int] = (1, 100)
    """First and last rank that negatives are taken from, both included."""
    relative_margin: float | None = 0.05
    """See mine.MiningSettings. A margin needs a first stage that is stronger than the model being trained; with a
    weaker one, it removes the very mistakes that the model should learn from."""
    seed: int = 17

    def __post_init__(self) -> None:
        check_types(self)
        if self.per_query < 2:
            raise SettingsError(f"per_query is {self.per_query}; give 2 passages or more.")
        self.rules()

    def rules(self) -> mine.MiningSettings:
        """The rules for mined negatives. Raises SettingsError if a value is out of range."""
        return mine.MiningSettings(ranks=self.ranks, relative_margin=self.relative_margin)


def distillation_groups(
    run: Run, settings: GroupSettings, *, repeats: int = 1, exclude: Mapping[QueryId, PassageId] | None = None
) -> list[TrainingGroup]:
    """Groups whose targets are the first stage's own scores: `logit_groups` of a run that holds cosines."""
    logits = {query_id: Ranking(ranking.passage_ids, as_logits(ranking.scores)) for query_id, ranking in run.items()}
    return logit_groups(logits, settings, repeats=repeats, exclude=exclude)


def logit_groups(
    run: Run, settings: GroupSettings, *, repeats: int = 1, exclude: Mapping[QueryId, PassageId] | None = None
) -> list[TrainingGroup]:
    """Groups whose targets are the scores of a run of logits.

    Half of each group comes from the best tenth of the rank range, a quarter from its best half, and the rest from all
    of it, so a re-ranker learns both fine and coarse differences. `exclude` gives, by query, a passage not to use, such
    as the one that the query was taken from.
    """
    groups = []
    for query_id, ranking in run.items():
        pool = [
            candidate
            for candidate in ranking
            if settings.ranks[0] <= candidate.rank <= settings.ranks[1]
            and candidate.passage_id != (exclude or {}).get(query_id)
        ]
        for repeat in range(repeats):
            rng = random.Random(f"{settings.seed}/{query_id}/{repeat}")
            chosen = negatives.spread(pool, settings.per_query, rng)
            if len(chosen) >= 2:
                ids = tuple(candidate.passage_id for candidate in chosen)
                groups.append(TrainingGroup(query_id, ids, tuple(candidate.score for candidate in chosen)))
    return groups


def run_of_logits(run: Run) -> dict[QueryId, Ranking]:
    """The run with each query's scores turned into logits (targets.run_as_logits), without rankings of equal scores."""
    logits = {}
    for query_id, ranking in run.items():
        scores = run_as_logits(ranking.scores)
        if scores is not None:
            logits[query_id] = Ranking(ranking.passage_ids, scores)
    return logits


def judged_groups(
    run: Run, qrels: Qrels, settings: GroupSettings, *, repeats: int = 1, text: negatives.Text | None = None
) -> list[TrainingGroup]:
    """Groups of judged passages, filled up with hard negatives mined from the run.

    A group has at least one passage with a grade above 0, then passages judged 0, then mined ones. Passages judged
    relevant are never negatives, and neither, with `text`, are those that read like one; unjudged passages that score
    close to a positive are left out. `run` holds cosines. Targets come from targets.grade_as_logit; a passage that the
    run lacks gets the run's lowest score.
    """
    top_grade = max((grade for judged in qrels.values() for grade in judged.values()), default=0)
    groups = []
    for query_id, judged in qrels.items():
        ranking = run.get(query_id)
        logits = dict(zip(ranking.passage_ids, as_logits(ranking.scores).tolist(), strict=True)) if ranking else {}
        mined = _mined(query_id, ranking, judged, settings, text)
        for repeat in range(repeats):
            rng = random.Random(f"{settings.seed}/{query_id}/{repeat}")
            chosen = _judged_choice(judged, mined, settings, rng)
            if len(chosen) < 2 or not any(judged.get(passage_id, 0) > 0 for passage_id in chosen):
                continue
            lowest = min(logits.values(), default=0.0)
            targets = tuple(
                grade_as_logit(judged.get(passage_id, 0), logits.get(passage_id, lowest), highest=top_grade)
                for passage_id in chosen
            )
            groups.append(TrainingGroup(query_id, tuple(chosen), targets))
    return groups


def _judged_choice(
    judged: Mapping[PassageId, int], mined: Sequence[PassageId], settings: GroupSettings, rng: random.Random
) -> list[PassageId]:
    positives = sorted(passage_id for passage_id, grade in judged.items() if grade > 0)
    zeros = sorted(passage_id for passage_id, grade in judged.items() if grade <= 0)
    relevant = rng.sample(positives, min(len(positives), max(1, settings.per_query // 2)))
    from_judged, from_run = negatives.draw_negatives(zeros, mined, settings.per_query - len(relevant), rng, fill=False)
    return relevant + from_judged + sorted(from_run)


def _mined(
    query_id: QueryId,
    ranking: Ranking | None,
    judged: Mapping[PassageId, int],
    settings: GroupSettings,
    text: negatives.Text | None,
) -> list[PassageId]:
    """Unjudged passages of the ranking that pass the rules of mining, best first."""
    if ranking is None:
        return []
    relevant = {passage_id: score for _, passage_id, score in ranking if judged.get(passage_id, 0) > 0}
    pool = negatives.screen(negatives.QueryCandidates(query_id, ranking, judged, relevant), settings.rules(), text=text)
    return [candidate.passage_id for candidate in pool.candidates if candidate.passage_id not in judged]
