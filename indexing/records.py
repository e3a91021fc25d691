"""The types that flow through every room: passages, queries, rankings, runs and qrels."""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, NewType

import numpy as np
from numpy.typing import NDArray

from indexing.errors import SettingsError

PassageId = NewType("PassageId", str)
QueryId = NewType("QueryId", str)

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Passage:
    """One retrievable text. `title` may be empty."""

    id: PassageId
    text: str
    title: str = ""

    def __post_init__(self) -> None:
        if not self.id:
            raise ValueError("a passage needs an id that isn't empty")

    @property
    def content(self) -> str:
        """What is indexed, encoded and re-ranked: title and text as one string."""
        return f"{self.title} {self.text}" if self.title else self.text


@dataclass(frozen=True, slots=True)
class Query:
    """One query of a judged set."""

    id: QueryId
    text: str


class Candidate(NamedTuple):
    """One place in a ranking; `rank` starts at 1."""

    rank: int
    passage_id: PassageId
    score: float


class Ranking:
    """One query's passages, best first. Scores are (depth,) float32, finite, non-increasing."""

    __slots__ = ("passage_ids", "scores")

    def __init__(self, passage_ids: Sequence[PassageId], scores: Floats) -> None:
        """Take ids and scores that are already in order; `Ranking.sort` puts them in order.

        Raises:
            ValueError: lengths differ, an id appears twice, a score isn't finite or rises.
        """
        values = np.array(scores, dtype=np.float32)  # (depth,) float32, a copy
        ids = tuple(passage_ids)
        if values.shape != (len(ids),):
            raise ValueError(f"{len(ids)} passage ids but scores of shape {values.shape}")
        if len(set(ids)) != len(ids):
            raise ValueError("a passage id appears twice in one ranking")
        if not np.isfinite(values).all():
            raise ValueError("a score is not a finite number")
        if (values[1:] > values[:-1]).any():
            raise ValueError("scores rise; a ranking is ordered best first")
        values.flags.writeable = False
        self.passage_ids = ids
        self.scores = values

    @classmethod
    def sort(cls, scored: Iterable[tuple[PassageId, float]], *, depth: int | None = None) -> "Ranking":
        """Order (id, score) pairs by score, ties by passage id, and keep the best `depth`."""
        pairs = [(passage_id, np.float32(score)) for passage_id, score in scored]
        best = sorted(pairs, key=lambda pair: (-pair[1], pair[0]))[:depth]
        return cls([pair[0] for pair in best], np.array([pair[1] for pair in best], dtype=np.float32))

    def __len__(self) -> int:
        return len(self.passage_ids)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Ranking)
            and self.passage_ids == other.passage_ids
            and np.array_equal(self.scores, other.scores)
        )

    __hash__ = None  # type: ignore[assignment]  # compares by value, holds an array

    def __repr__(self) -> str:
        return f"Ranking({list(self)!r})"

    def __iter__(self) -> Iterator[Candidate]:
        for place, (passage_id, score) in enumerate(zip(self.passage_ids, self.scores, strict=True)):
            yield Candidate(place + 1, passage_id, float(score))

    def ranks(self) -> dict[PassageId, int]:
        """The rank of each passage, from 1."""
        return {passage_id: place + 1 for place, passage_id in enumerate(self.passage_ids)}

    def top(self, depth: int) -> "Ranking":
        """The best `depth` places. Raises SettingsError if they are fewer than 0."""
        if depth < 0:
            raise SettingsError(f"A list can't be cut to {depth} places; give 0 or more.")
        return Ranking(self.passage_ids[:depth], self.scores[:depth])

    def among(self, known: Container[PassageId]) -> "Ranking":
        """The passages that `known` holds, in the same order."""
        places = [place for place, passage_id in enumerate(self.passage_ids) if passage_id in known]
        return Ranking([self.passage_ids[place] for place in places], self.scores[places])


Run = Mapping[QueryId, Ranking]
Qrels = Mapping[QueryId, Mapping[PassageId, int]]
