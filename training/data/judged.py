"""Turns a judged set into labelled lists, filled up with hard negatives from the served index, query by query."""

import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from indexing.corpus.judged import JudgedSet
from indexing.errors import SettingsError, TrainingError
from indexing.progress import Progress, silent
from indexing.records import PassageId, Query
from search.pipeline import RetrieveAndRerank
from search.rerank.reranker import Reranker
from search.settings import Fusion
from training.data.readers.passage_lists import Entry
from training.example import ALONE, NO_POSITIVE, Example, Protects, Skipped
from training.mining.first_stage import ServedFirstStage
from training.mining.mine import SERVED_DEPTH, mine
from training.mining.near_duplicates import NearDuplicates
from training.mining.negatives import MinedQuery
from training.mining.settings import MiningSettings

MOST_POSITIVES = 4
NO_JUDGED = "judged passage that the index lacks"


def judged_examples(
    pipeline: RetrieveAndRerank,
    judged: JudgedSet,
    settings: MiningSettings,
    *,
    protection: Protects,
    source: Fusion = "rrf",
    reranker: Reranker | None = None,
    per_list: int = 8,
    limit: int | None = None,
    seed: int = 17,
    with_scores: bool = False,
    progress: Progress = silent,
    skipped: Skipped = lambda _: None,
) -> Iterator[Example]:
    """One list a query, mined as it is taken: its best graded positives with their grades, judged zeros, mined ones.

    Positives take half of `per_list` places and 4 at most. Judged zeros take half of the rest, or more where mining
    leaves places empty; none reads like a passage that is judged relevant. Passages are distinct and in random order.
    `limit` draws so many queries, in random order. With `with_scores` each passage has its score by `source`, or the
    `reranker`'s where one is given, as in mining. `skipped` is told of each query that makes no list.

    Raises:
        SettingsError: the source is unknown, a number too small, or, while it is mined, a query too long.
        TrainingError: no query may be used.
    """
    if per_list < 2:
        raise SettingsError(f"{per_list} passages a list were asked for; give 2 or more.")
    if limit is not None and limit < 1:
        raise SettingsError(f"a limit of {limit} queries leaves none; give 1 or more, or no limit.")
    stage = ServedFirstStage(pipeline, source=source, depth=max(settings.ranks[1], SERVED_DEPTH))
    asked = _asked(judged, settings, protection, skipped)
    if limit is not None:
        drawn = random.Random(seed).sample(asked.queries, min(limit, len(asked.queries)))
        asked = JudgedSet(asked.split, tuple(drawn), asked.qrels)
    lister = _Lister(pipeline, stage, reranker, settings, per_list, with_scores)
    mined = mine(stage, asked, settings, reranker=reranker, progress=progress)
    return _examples(lister, asked, mined, seed, skipped)


def _asked(judged: JudgedSet, settings: MiningSettings, protection: Protects, skipped: Skipped) -> JudgedSet:
    """What is judged, without protected queries and those that nothing is relevant to."""
    queries = []
    for query in judged.queries:
        if protection.covers(query):
            skipped("protected query")
        elif max(judged.qrels.get(query.id, {}).values(), default=0) < settings.minimum_grade:
            skipped(NO_POSITIVE)
        else:
            queries.append(query)
    if not queries:
        raise TrainingError(
            f"None of the {len(judged.queries):,} judged {judged.split} queries can be trained on: each is protected, "
            f"or has no passage of grade {settings.minimum_grade} or more; choose another split or other judgments."
        )
    return JudgedSet(judged.split, tuple(queries), judged.qrels)


def _examples(
    lister: "_Lister", judged: JudgedSet, mined: Iterator[MinedQuery], seed: int, skipped: Skipped
) -> Iterator[Example]:
    name = f"judged {lister.pipeline.index.manifest.name}"
    for query, found in zip(judged.queries, mined, strict=True):
        for _ in lister.absent(judged.qrels[query.id]):
            skipped(NO_JUDGED)
        rng = random.Random(f"{seed}/{query.id}")
        entries = lister.entries(query, judged.qrels[query.id], found, rng) if found.positives else []
        labels = {entry.label > 0 for entry in entries}
        if len(labels) < 2:
            skipped(ALONE if labels else "no positive in the index")
            continue
        rng.shuffle(entries)
        yield Example(
            name,
            query.text,
            tuple(entry.text for entry in entries),
            labels=tuple(entry.label for entry in entries),
            scores=tuple(entry.score for entry in entries if entry.score is not None) if lister.with_scores else None,
            query_id=query.id,
        )


@dataclass(frozen=True)
class _Lister:
    """Chooses the passages of each query's list."""

    pipeline: RetrieveAndRerank
    stage: ServedFirstStage
    reranker: Reranker | None
    settings: MiningSettings
    per_list: int
    with_scores: bool

    def entries(
        self, query: Query, judged: Mapping[PassageId, int], mined: MinedQuery, rng: random.Random
    ) -> list[Entry]:
        """Distinct passages, positives first; of those that read the same the first stays."""
        positives = mined.positives[: min(MOST_POSITIVES, self.per_list // 2)]
        room = self.per_list - len(positives)
        zeros = self._zeros(judged)
        unjudged = [entry for entry in mined.negatives if entry.passage_id not in judged]
        zeros = rng.sample(zeros, min(len(zeros), max((room + 1) // 2, room - len(unjudged))))
        unjudged = rng.sample(unjudged, min(len(unjudged), room - len(zeros)))
        graded = {entry.passage_id: entry.grade for entry in positives}
        scores = {entry.passage_id: entry.score for entry in positives}
        scores |= {entry.passage_id: entry.score for entry in unjudged}
        if self.with_scores:
            scores |= self._scores(query, zeros)
        chosen: dict[str, Entry] = {}
        for passage_id in (*graded, *zeros, *(entry.passage_id for entry in unjudged)):
            text = self.stage.text(passage_id)
            chosen.setdefault(text, Entry(text, float(graded.get(passage_id, 0)), scores.get(passage_id)))
        return list(chosen.values())

    def absent(self, judged: Iterable[PassageId]) -> list[PassageId]:
        """Judged passages that the index lacks."""
        return [passage_id for passage_id in judged if passage_id not in self.pipeline.index.passages]

    def _zeros(self, judged: Mapping[PassageId, int]) -> list[PassageId]:
        """What the index holds of the passages judged 0 or less, without those that read like a relevant one."""
        held = sorted(passage_id for passage_id in judged if passage_id in self.pipeline.index.passages)
        relevant = NearDuplicates(
            (self.stage.text(passage_id) for passage_id in held if judged[passage_id] > 0),
            share=self.settings.near_duplicate,
        )
        return [
            passage_id
            for passage_id in held
            if judged[passage_id] <= 0 and not relevant.match(self.stage.text(passage_id))
        ]

    def _scores(self, query: Query, passage_ids: list[PassageId]) -> Mapping[PassageId, float]:
        """On the scale of mined negatives, returned by the first stage or not."""
        if not passage_ids:
            return {}
        if self.reranker is None:
            # of relevant passages the stage gives every score, and these it takes for relevant
            return self.stage.retrieve(query, dict.fromkeys(passage_ids, 1)).relevant_scores
        logits = self.reranker.score(query.text, [self.stage.text(passage_id) for passage_id in passage_ids]).logits
        return dict(zip(passage_ids, logits.tolist(), strict=True))
