"""Chooses BM25's k1 and b by recall on training queries, and reports the choice's recall on held-out ones."""

import random
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import ir_measures
from ir_measures import R

from indexing.bm25.settings import PRESETS, Bm25Settings
from indexing.errors import IndexingError, SettingsError
from indexing.index import Index
from indexing.judged.fit import fit_judgments
from indexing.judged.sets import JudgedSet
from indexing.manifest import rebuild
from indexing.progress import Progress, relabel, silent
from indexing.records import PassageId, Query, QueryId

K1 = (0.5, 0.7, 0.82, 0.9, 1.0, 1.2, 1.5, 2.0)
B = (0.2, 0.3, 0.4, 0.5, 0.6, 0.68, 0.75, 0.9)
SEED = 0
Pair = tuple[float, float]
"""k1 and b."""


@dataclass(frozen=True)
class PairRecall:
    """Recall with one pair of k1 and b."""

    k1: float
    b: float
    recall: float
    """Mean recall over the queries used for choosing."""
    held_out: float | None
    """Mean recall over the held-out queries; None for a pair that wasn't measured on them."""


@dataclass(frozen=True, kw_only=True)
class Bm25Tuning:
    """Recall of every pair of k1 and b, and the pair to use."""

    pairs: tuple[PairRecall, ...]
    """Best first."""
    chosen: PairRecall
    current: PairRecall
    """Recall with the index's own k1 and b."""
    presets: dict[str, PairRecall]
    depth: int
    """Candidates per query; recall is the share of relevant passages among them."""
    minimum_grade: int
    """The lowest grade that counts as relevant."""
    queries: int
    """Queries used for choosing."""
    held_out_queries: int
    notes: tuple[str, ...] = ()
    """What was left out, and where judgments and passages don't fit, in sentences."""


def tune(
    index: Index,
    train: JudgedSet,
    held_out: JudgedSet | None,
    *,
    minimum_grade: int,
    depth: int,
    progress: Progress = silent,
) -> Bm25Tuning:
    """Measure recall at `depth` on `train` for every pair of K1 and B; without `held_out`, hold out half of `train`.

    `minimum_grade` is the lowest grade that counts as relevant.

    Raises:
        SettingsError: there are fewer than two judged queries, or none has a relevant passage in the index.
        IndexingError: the index has no postings, which BM25 with a different k1 and b is computed from.
    """
    name = f"index {index.manifest.name}"
    fitted = [fit_judgments(judged, index.passages, name=name) for judged in (train, held_out) if judged is not None]
    own = frozenset[QueryId]().union(*(part.own for part in fitted))
    choosing, reporting = _split(fitted[0].judged, fitted[1].judged if held_out is not None else None)
    counted = relabel(progress, "tune", total=len(choosing.queries) + len(reporting.queries))
    measure = _RecallOfPairs(index, minimum_grade=minimum_grade, depth=depth, own=own, progress=counted)
    current = (index.manifest.bm25.k1, index.manifest.bm25.b)
    grid = sorted({*product(K1, B), current, *PRESETS.values()})
    recalls = measure(choosing, grid)
    best = max(grid, key=lambda pair: (recalls[pair], pair == current))  # on a tie, keep the current pair
    held_out_recalls = measure(reporting, sorted({best, current, *PRESETS.values()}))
    pairs = {pair: PairRecall(*pair, recalls[pair], held_out_recalls.get(pair)) for pair in grid}
    return Bm25Tuning(
        pairs=tuple(sorted(pairs.values(), key=lambda row: -row.recall)),
        chosen=pairs[best],
        current=pairs[current],
        presets={name: pairs[pair] for name, pair in PRESETS.items()},
        depth=depth,
        minimum_grade=minimum_grade,
        queries=len(choosing.queries),
        held_out_queries=len(reporting.queries),
        notes=tuple(dict.fromkeys(note for part in fitted for note in part.notes)),
    )


def _split(train: JudgedSet, held_out: JudgedSet | None) -> tuple[JudgedSet, JudgedSet]:
    if held_out is not None:
        return train, held_out
    queries = list(train.queries)
    random.Random(SEED).shuffle(queries)
    middle = len(queries) // 2
    if not middle:
        raise SettingsError(f"{len(queries)} judged queries are too few to choose with some and report on others.")
    return _part(train, queries[:middle]), _part(train, queries[middle:])


def _part(judged: JudgedSet, queries: Sequence[Query]) -> JudgedSet:
    return JudgedSet(judged.split, tuple(queries), {query.id: judged.qrels[query.id] for query in queries})


class _RecallOfPairs:
    """Computes each pair's mean recall over those queries of a set that have a relevant passage in the index."""

    def __init__(
        self, index: Index, *, minimum_grade: int, depth: int, own: Container[QueryId], progress: Progress
    ) -> None:
        if index.postings is None:
            raise IndexingError(
                f"Index {index.folder} keeps no postings, so BM25 can't be tried with another k1 and b there. "
                f"{rebuild(index.folder)}"
            )
        self._index, self._postings = index, index.postings
        self._minimum_grade, self._depth, self._own, self._progress = minimum_grade, depth, own, progress

    def __call__(self, judged: JudgedSet, pairs: Sequence[Pair]) -> dict[Pair, float]:
        totals = dict.fromkeys(pairs, 0.0)
        counted = 0
        for query in judged.queries:
            grades = self._grades(judged.qrels[query.id])
            if any(grade >= self._minimum_grade for grade in grades.values()):
                counted += 1
                for pair, recall in self._recalls(query, grades, pairs).items():
                    totals[pair] += recall
            self._progress("tune", 1, len(judged.queries))
        if not counted:
            raise SettingsError(
                f"No query of the {judged.split} set has a passage of grade {self._minimum_grade} or more in index "
                f"{self._index.manifest.name}."
            )
        return {pair: total / counted for pair, total in totals.items()}

    def _grades(self, qrels: Mapping[PassageId, int]) -> dict[str, int]:
        """Grades by row, of the judged passages that the index holds."""
        passages = self._index.passages
        return {str(passages.row_of(name)): grade for name, grade in qrels.items() if name in passages}

    def _recalls(self, query: Query, grades: Mapping[str, int], pairs: Sequence[Pair]) -> dict[Pair, float]:
        """Recall of each pair for one query, whose own passage doesn't count."""
        measure = R(rel=self._minimum_grade) @ self._depth
        own = query.id in self._own
        left_out = self._index.passages.row_of(PassageId(query.id)) if own else -1
        matches = self._postings.matches(self._index.analyzer.query_terms(query.text))
        recalls = {}
        for k1, b in pairs:
            rows, scores = matches.search(Bm25Settings(k1=k1, b=b), depth=self._depth + own)
            found = zip(rows.tolist(), scores, strict=True)
            run = {"": {str(row): float(score) for row, score in found if row != left_out}}
            recalls[k1, b] = ir_measures.calc_aggregate([measure], {"": dict(grades)}, run)[measure]
        return recalls
