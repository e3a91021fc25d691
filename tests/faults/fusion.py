"""Faults in ranked lists that are merged: ties, repeats, empty lists, numbers that aren't finite."""

from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import numpy as np

from indexing.records import PassageId, Ranking
from search.fuse import reciprocal_rank_fusion
from tests.faults.fault import Fault, WrongAnswerError

AREA = "fusion"
LISTS = 40
BROKEN = (float("nan"), float("inf"), float("-inf"))


def prepare(folder: Path) -> None:
    """Nothing is shared."""


def faults(random: Random) -> Iterator[Fault]:
    """Random lists of few passages, so that they tie often, and rankings that mustn't be made."""
    for number in range(LISTS):
        names = [f"p{place}" for place in range(random.randint(1, 12))]
        lists = {name: random.sample(names, random.randint(0, len(names))) for name in ("bm25", "dense", "late")}
        yield Fault(f"merge {number}: {lists}", _merging(lists))
    for value in BROKEN:
        yield Fault(f"a score of {value}", _refusing(["a", "b"], [1.0, value]))
    yield Fault("a passage twice", _refusing(["a", "a"], [2.0, 1.0]))
    yield Fault("rising scores", _refusing(["a", "b"], [1.0, 2.0]))


def _merging(lists: dict[str, list[str]]) -> Callable[[Path], None]:
    def run(_: Path) -> None:
        rankings = {
            name: Ranking([PassageId(key) for key in ids], np.arange(len(ids), 0, -1, dtype=np.float32))
            for name, ids in lists.items()
        }
        fused = reciprocal_rank_fusion(rankings, depth=100)
        sums: dict[str, float] = {}
        for ids in lists.values():
            for place, key in enumerate(ids):
                sums[key] = sums.get(key, 0.0) + 1 / (61 + place)
        expected = sorted(sums, key=lambda key: (-np.float32(sums[key]), key))
        if list(fused.passage_ids) != expected:
            raise WrongAnswerError(f"{list(fused.passage_ids)} in place of {expected}")

    return run


def _refusing(ids: list[str], scores: list[float]) -> Callable[[Path], None]:
    def run(_: Path) -> None:
        try:
            ranking = Ranking([PassageId(key) for key in ids], np.array(scores, dtype=np.float32))
        except ValueError:
            return
        raise WrongAnswerError(f"accepted as {ranking}")

    return run
