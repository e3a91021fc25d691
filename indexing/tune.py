"""Chooses BM25's k1 and b by recall on training queries, and reports what the choice is worth on held-out ones."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import ir_measures
import numpy as np
from ir_measures import R
from numpy.typing import NDArray

from indexing.bm25 import analyzer
from indexing.bm25.formula import PRESETS, Bm25Settings, best_rows, length_norms
from indexing.bm25.from_postings import FoundTerms
from indexing.bm25.postings import Postings
from indexing.corpus.judged import JudgedSet
from indexing.errors import SettingsError
from indexing.index import Index

K1 = (0.5, 0.7, 0.82, 0.9, 1.0, 1.2, 1.5, 2.0)
B = (0.2, 0.3, 0.4, 0.5, 0.6, 0.68, 0.75, 0.9)
DEPTH = 1000
SEED = 0
Progress = Callable[[int], None]
"""Called with the queries done since the last call."""


@dataclass(frozen=True)
class Tried:
    """One pair of k1 and b."""

    k1: float
    b: float
    recall: float
    """Mean recall@1000 over the queries that chose."""
    held_out: float | None
    """The same over the held-out queries; None where it wasn't measured."""


@dataclass(frozen=True)
class Tuned:
    """What was tried, best first."""

    tried: tuple[Tried, ...]
    chosen: Tried
    current: Tried
    """With the index's own k1 and b."""
    presets: dict[str, Tried]
    queries: int
    held_out_queries: int


def tune(
    index: Index, train: JudgedSet, held_out: JudgedSet | None, *, minimum_grade: int, progress: Progress
) -> Tuned:
    """Search every pair of K1 and B by recall@1000 on `train`; without `held_out`, half of its queries are kept apart.

    `minimum_grade` is the least grade that counts as relevant.

    Raises:
        SettingsError: there are fewer than two judged queries, or none has a relevant passage in the index.
    """
    choosing, reporting = _split(train, held_out)
    passages = Postings(index.folder / "terms")
    lengths = passages.lengths()
    current = (index.manifest.bm25.k1, index.manifest.bm25.b)
    grid = sorted({(k1, b) for k1 in K1 for b in B} | {current, *PRESETS.values()})
    recalls = _recalls(index, passages, lengths, choosing, grid, minimum_grade, progress)
    chosen = max(grid, key=lambda pair: (recalls[pair], pair == current))  # a tie changes nothing
    reported = sorted({chosen, current, *PRESETS.values()})
    held = _recalls(index, passages, lengths, reporting, reported, minimum_grade, progress)
    tried = {pair: Tried(*pair, recalls[pair], held.get(pair)) for pair in grid}
    return Tuned(
        tried=tuple(sorted(tried.values(), key=lambda row: -row.recall)),
        chosen=tried[chosen],
        current=tried[current],
        presets={name: tried[pair] for name, pair in PRESETS.items()},
        queries=len(choosing.queries),
        held_out_queries=len(reporting.queries),
    )


def _split(train: JudgedSet, held_out: JudgedSet | None) -> tuple[JudgedSet, JudgedSet]:
    if held_out is not None:
        return train, held_out
    queries = list(train.queries)
    random.Random(SEED).shuffle(queries)
    middle = len(queries) // 2
    if not middle:
        raise SettingsError(f"{len(queries)} judged queries are too few to choose with some and report on others.")
    return tuple(  # type: ignore[return-value]  # of two
        JudgedSet(train.split, tuple(part), {query.id: train.qrels[query.id] for query in part})
        for part in (queries[:middle], queries[middle:])
    )


def _recalls(
    index: Index,
    postings: Postings,
    lengths: NDArray[np.int64],
    judged: JudgedSet,
    pairs: Sequence[tuple[float, float]],
    minimum_grade: int,
    progress: Progress,
) -> dict[tuple[float, float], float]:
    """Mean recall@1000 of each pair over the queries with a relevant passage in the index."""
    norms = {pair: length_norms(lengths, Bm25Settings(k1=pair[0], b=pair[1])) for pair in pairs}
    totals = dict.fromkeys(pairs, 0.0)
    counted = 0
    for query in judged.queries:
        held = {name: grade for name, grade in judged.qrels[query.id].items() if name in index.passages}
        relevant = {str(index.passages.row_of(name)): grade for name, grade in held.items()}
        progress(1)
        if not any(grade >= minimum_grade for grade in relevant.values()):
            continue
        counted += 1
        found = FoundTerms(postings, analyzer.terms(query.text))
        for pair, norm in norms.items():
            rows, scores = found.rows, found.scores(norm)
            best = best_rows(scores, depth=DEPTH)
            run = {"": {str(row): float(score) for row, score in zip(rows[best], scores[best], strict=True)}}
            measure = R(rel=minimum_grade) @ DEPTH
            totals[pair] += ir_measures.calc_aggregate([measure], {"": relevant}, run)[measure]
    if not counted:
        raise SettingsError(
            f"No query of the {judged.split} set has a relevant passage in index {index.manifest.name}."
        )
    return {pair: total / counted for pair, total in totals.items()}
