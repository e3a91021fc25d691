"""Turns a judged set into labeled lists, one per query, filled up with hard negatives from the served index."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from indexing.errors import SettingsError, TrainingError
from indexing.judged.sets import JudgedSet
from indexing.notes import counted
from indexing.progress import Progress, silent
from indexing.records import PassageId, Query
from indexing.typed_json import check_types
from search.pipeline import RetrieveAndRerank
from search.queries import searchable_queries
from search.settings import Fusion
from training.example import NO_NEGATIVE, NO_PASSAGE, NO_POSITIVE, Example, OnSkip, ignore
from training.mining.kept import mined_json, mined_query
from training.mining.kept_negatives import Keeping, KeptNegatives, digest, open_kept, query_key
from training.mining.mine import Miner
from training.mining.near_duplicates import NearDuplicates
from training.mining.negatives import MinedQuery, distinct, draw_negatives
from training.mining.settings import MiningSettings

MOST_POSITIVES = 4


@dataclass(frozen=True, kw_only=True)
class ListSettings:
    """How the list of each judged query is composed."""

    per_list: int = 8
    """Passages in a list; relevant ones take up to half of the places, and at most MOST_POSITIVES."""
    others: int = 0
    """Places that relevant ones leave to others in any case."""
    limit: int | None = None
    """Number of queries to draw at random; None for all, in their order."""
    seed: int = 17
    fusion: Fusion = "rrf"
    """What ranks the candidates: one of search.settings.FUSIONS."""
    with_scores: bool = False
    """Whether each passage also gets its score under `fusion`."""

    def __post_init__(self) -> None:
        check_types(self)
        if self.per_list < 2:
            raise SettingsError(f"per_list is {self.per_list}; give 2 passages or more.")
        if self.limit is not None and self.limit < 1:
            raise SettingsError(f"limit is {self.limit} queries; give 1 or more, or no limit.")


def judged_examples(
    pipeline: RetrieveAndRerank,
    judged: JudgedSet,
    mining: MiningSettings,
    lists: ListSettings,
    *,
    keeping: Keeping | None = None,
    progress: Progress = silent,
    on_skip: OnSkip = ignore,
) -> Iterator[Example]:
    """One list per query: its highest-graded positives with their grades, passages judged 0, and mined negatives.

    Queries are mined lazily, but for those that were mined before in the same way and are kept. Passages judged 0 take
    half of the places that positives leave, or more if there are too few mined ones; none of them reads like a relevant
    passage. Passages are distinct and in random order. `on_skip` gets a reason for each query that yields no list, and
    for each judged passage that the index lacks.

    Raises:
        SettingsError: the fusion is unknown.
        TrainingError: no query has a relevant passage.
    """
    miner = Miner.open(pipeline, mining, fusion=lists.fusion)
    usable = _with_positive(judged, mining, on_skip)
    if lists.limit is not None:
        drawn = random.Random(lists.seed).sample(usable.queries, min(lists.limit, len(usable.queries)))
        usable = replace(usable, queries=tuple(drawn))
    return _examples(_ListMaker(miner, lists), usable, keeping, progress, on_skip)


def _with_positive(judged: JudgedSet, mining: MiningSettings, on_skip: OnSkip) -> JudgedSet:
    """The queries that have a relevant passage, with their judgments."""
    queries = []
    for query in judged.queries:
        if max(judged.qrels.get(query.id, {}).values(), default=0) < mining.minimum_grade:
            on_skip(NO_POSITIVE)
        else:
            queries.append(query)
    if not queries:
        raise TrainingError(
            f"None of the {len(judged.queries):,} judged {judged.split} queries has a passage of grade "
            f"{mining.minimum_grade} or more to train on; choose another split or other judgments."
        )
    return replace(judged, queries=tuple(searchable_queries(queries)))


def _examples(
    maker: "_ListMaker", judged: JudgedSet, keeping: Keeping | None, progress: Progress, on_skip: OnSkip
) -> Iterator[Example]:
    index = maker.miner.stage.index
    with open_kept(keeping, index, maker.miner.kept_by()) as kept:
        for query, mined in _mined(maker.miner, judged, kept, progress):
            grades = judged.qrels[query.id]
            for passage_id in grades:
                if passage_id not in index.passages:
                    on_skip(NO_PASSAGE)
            labels = maker.labels(grades, mined) if mined.positives else {}
            kinds = {label > 0 for label in labels.values()}
            if len(kinds) < 2:
                on_skip(NO_NEGATIVE if kinds else NO_POSITIVE)
                continue
            yield maker.example(query, labels, mined, kept, source=judged.source)


def _mined(
    miner: Miner, judged: JudgedSet, kept: KeptNegatives, progress: Progress
) -> Iterator[tuple[Query, MinedQuery]]:
    """Each query with what was mined for it, now or before; the phase says how many were mined before."""
    keys = {query.id: query_key(query, judged.qrels[query.id]) for query in judged.queries}
    phase, before = f"mine {miner.stage.index.manifest.name}", sum(map(kept.knows, keys.values()))
    if before:
        phase += f" ({before:,} of {counted(len(keys), 'query', 'queries')} mined before)"
    for query in judged.queries:
        values = kept.get(keys[query.id], partial(_mine, miner, query, judged.qrels[query.id]))
        yield query, mined_query(values)
        progress(phase, 1, len(judged.queries))


def _mine(miner: Miner, query: Query, judged: Mapping[PassageId, int]) -> dict[str, Any]:
    return mined_json(miner.mine_query(query, judged))


@dataclass(frozen=True)
class _ListMaker:
    """Chooses the passages of each query's list."""

    miner: Miner
    lists: ListSettings

    def labels(self, grades: Mapping[PassageId, int], mined: MinedQuery) -> dict[PassageId, float]:
        """The passages of a list with their labels, in random order; of texts that say the same, only the first."""
        rng = random.Random(f"{self.lists.seed}/{mined.query_id}")
        positives = mined.positives[
            : min(MOST_POSITIVES, self.lists.per_list // 2, self.lists.per_list - self.lists.others)
        ]
        unjudged = [candidate.passage_id for candidate in mined.negatives if candidate.passage_id not in grades]
        room = self.lists.per_list - len(positives)
        zeros, unjudged = draw_negatives(self._zeros(grades), unjudged, room, rng, fill=True)
        labels = {positive.passage_id: float(positive.grade) for positive in positives}
        labels |= dict.fromkeys((*zeros, *unjudged), 0.0)
        chosen = distinct(labels, self.miner.stage.text)
        rng.shuffle(chosen)
        return {passage_id: labels[passage_id] for passage_id in chosen}

    def example(
        self, query: Query, labels: Mapping[PassageId, float], mined: MinedQuery, kept: KeptNegatives, *, source: str
    ) -> Example:
        """The list of these passages, with scores if they are asked for; `source` is who judged, if not people."""
        stage = self.miner.stage
        scores = self._scores(query, labels, mined, kept) if self.lists.with_scores else None
        return Example(
            f"{source or 'judged'} {stage.index.manifest.name}",
            query.text,
            tuple(map(stage.text, labels)),
            labels=tuple(labels.values()),
            scores=scores,
            query_id=query.id,
        )

    def _zeros(self, grades: Mapping[PassageId, int]) -> list[PassageId]:
        """Passages judged 0 or less that the index holds and that don't read like a relevant one."""
        stage = self.miner.stage
        indexed = sorted(passage_id for passage_id in grades if passage_id in stage.index.passages)
        relevant = NearDuplicates(
            (stage.text(passage_id) for passage_id in indexed if grades[passage_id] > 0),
            share=self.miner.settings.near_duplicate,
        )
        return [
            passage_id
            for passage_id in indexed
            if grades[passage_id] <= 0 and not relevant.match(stage.text(passage_id))
        ]

    def _scores(
        self, query: Query, passage_ids: Mapping[PassageId, float], mined: MinedQuery, kept: KeptNegatives
    ) -> tuple[float, ...]:
        """Each passage's first-stage score, whether the first stage returned it or not."""
        scores = {positive.passage_id: positive.score for positive in mined.positives}
        scores |= {negative.passage_id: negative.score for negative in mined.negatives}
        unscored = sorted(passage_id for passage_id in passage_ids if passage_id not in scores)
        if unscored:  # passed off as relevant, because the stage scores every relevant passage
            scores |= kept.get(
                digest("scores", query.id, query.text, unscored),
                lambda: dict(self.miner.stage.candidates(query, dict.fromkeys(unscored, 1)).relevant_scores),
            )
        return tuple(scores[passage_id] for passage_id in passage_ids)
