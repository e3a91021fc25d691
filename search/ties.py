"""Orders the lines that a run has for one query: by score, and where scores tie by rank, or else as trec_eval does."""

from array import array
from collections.abc import Iterable, Mapping
from itertools import pairwise

import numpy as np

from indexing.notes import counted
from indexing.records import PassageId, Ranking

BY_RANK = "scores tie, and the rank column decides"
BY_ID = "scores tie and no rank decides, so they stand by passage id from last to first, as in trec_eval"
CONTRADICTED = "ranks contradict scores; scores decide, and where they tie ids from last to first, as in trec_eval"


class RunList:
    """One query's lines, as they stand in a run's file."""

    __slots__ = ("_numbers", "_places", "order_note", "ranks", "scores")

    def __init__(self) -> None:
        self.scores = array("d")
        self.ranks = array("q")
        """Empty for a run without ranks."""
        self._numbers = array("q")
        self._places: dict[str, int] = {}
        self.order_note = ""
        """What `ranking` had to decide; empty before it is called, and where scores alone decided."""

    def __len__(self) -> int:
        return len(self.scores)

    def add(self, passage: str, score: float, rank: int | None, *, number: int) -> int:
        """Keep a line; gives back the line where the passage stood before, or 0."""
        place = self._places.setdefault(passage, len(self.scores))
        if place < len(self.scores):
            return self._numbers[place]
        self.scores.append(score)
        self._numbers.append(number)
        if rank is not None:
            self.ranks.append(rank)
        return 0

    def holds(self, passage: str, score: float, rank: int) -> bool:
        """Whether the passage came with this score and rank."""
        place = self._places[passage]
        return self.scores[place] == score and self.ranks[place] == rank

    def line(self, place: int) -> int:
        """The line of a passage, by its place in the file."""
        return self._numbers[place]

    def ranking(self) -> Ranking:
        """The passages, best first."""
        ids, scores, ranks = list(self._places), self.scores, self.ranks
        places = range(len(ids))
        tied = len(set(scores)) < len(scores)
        order = sorted(places, key=lambda place: (ranks[place], -scores[place])) if ranks else list(places)
        falls = all(scores[first] >= scores[second] for first, second in pairwise(order))
        distinct = len(ranks) > 0 and len(set(ranks)) == len(ranks)
        if falls and distinct:
            self.order_note = BY_RANK if tied else ""
        else:
            order = sorted(places, key=lambda place: ids[place], reverse=True)
            order.sort(key=lambda place: -scores[place])  # stable: what ties keeps trec_eval's order
            contradicted = bool(ranks) and not falls
            self.order_note = CONTRADICTED if contradicted else BY_ID if tied else ""
        values = np.array([scores[place] for place in order], dtype=np.float64)
        return Ranking([PassageId(ids[place]) for place in order], values.astype(np.float32))


def order_notes(lists: Mapping[str, RunList]) -> Iterable[str]:
    """What decided the order where scores alone didn't, with the number of queries: clauses for a sentence."""
    for decision in (BY_RANK, BY_ID, CONTRADICTED):
        queries = [query for query, ranked in lists.items() if ranked.order_note == decision]
        if queries:
            yield f"in {counted(len(queries), 'query', 'queries')} (the first is {queries[0][:80]!r}) {decision}"
