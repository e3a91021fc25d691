"""Has re-rankers read the passages that some pipeline of the grid would read, depth by depth, within a time limit."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import numpy as np

from indexing.errors import ModelError
from indexing.index import Index
from indexing.progress import Progress, relabel, silent
from indexing.records import Floats, PassageId
from search.journal import Journal
from search.rerank.reranker import Reranker, score_passages
from search.served import LATE
from training.choosing.contenders import FIRST_DEPTH, Grid
from training.choosing.gathered import GatheredQuery

PAIRS_AT_ONCE = 512
"""Pairs of several queries that are read together, where a re-ranker can do so."""


LATE_SHARE = 1 / 3
"""Of the time, what late interaction may take to read the whole fused lists."""


@runtime_checkable
class PairScorer(Protocol):
    """A re-ranker that scores pairs of many queries at once."""

    def score_pairs(self, queries: Sequence[str], passages: Sequence[str]) -> Floats:
        """(pairs,) float32 logits."""


@dataclass(frozen=True)
class Deadline:
    """When reading stops; None never."""

    at: float | None = None
    clock: Callable[[], float] = time.monotonic

    @classmethod
    def after(cls, seconds: float | None, *, clock: Callable[[], float] = time.monotonic) -> "Deadline":
        """So many seconds from now."""
        return cls(None if seconds is None else clock() + seconds, clock)

    def part(self, share: float) -> "Deadline":
        """One that comes after this share of the time that is left."""
        if self.at is None:
            return self
        return Deadline(self.clock() + share * max(self.at - self.clock(), 0.0), self.clock)

    def allows(self, seconds: float) -> bool:
        """Whether work of this length would be done in time."""
        return self.at is None or self.clock() + seconds <= self.at


@dataclass(frozen=True, kw_only=True)
class ReRead:
    """What was read, and the part of the grid that this allows."""

    gathered: Sequence[GatheredQuery]
    grid: Grid
    notes: tuple[str, ...] = ()
    """What was left out for want of time."""


class Readers:
    """Open re-rankers with the journals of what they have read."""

    def __init__(self, index: Index, rerankers: Mapping[str, Reranker], journals: Mapping[str, Journal | None]) -> None:
        """Both by the re-ranker's name in the grid."""
        self._index, self._rerankers, self._journals = index, rerankers, journals
        self._kept = {name: _kept(journal) for name, journal in journals.items()}
        self._speeds: dict[str, float] = {}

    def seconds(self, name: str, pairs: int) -> float:
        """How long reading so many pairs takes by what was read so far; 0 before anything was."""
        return pairs * self._speeds.get(name, 0.0)

    def missing(self, name: str, query: GatheredQuery, wanted: Iterable[PassageId]) -> list[PassageId]:
        """The passages that a re-ranker hasn't read yet, now or before a stop, in the order of their ids."""
        read = query.logits.get(name, {}).keys() | self._kept[name].get(query.query.id, {}).keys()
        return sorted(set(wanted) - read)

    def read(
        self,
        name: str,
        gathered: Sequence[GatheredQuery],
        wanted: Sequence[Iterable[PassageId]],
        *,
        deadline: Deadline,
        progress: Progress = silent,
    ) -> list[GatheredQuery] | None:
        """The queries with the logits of the passages that are wanted of each; None if time ran out before the end."""
        missing = [self.missing(name, query, passages) for query, passages in zip(gathered, wanted, strict=True)]
        total, begun = sum(map(len, missing)), time.perf_counter()
        done = 0
        found: list[GatheredQuery] = []
        for group in _groups(missing, pairs=self._at_once(name)):
            if not deadline.allows(self.seconds(name, total - done)):
                return None
            found += self._read_group(name, [gathered[place] for place in group], [missing[place] for place in group])
            count = sum(len(missing[place]) for place in group)
            done += count
            if done:
                self._speeds[name] = (time.perf_counter() - begun) / done
            if count:
                progress("read", count, total)
        return found

    def _at_once(self, name: str) -> int:
        """Pairs that a re-ranker reads together; one that can't read several queries' at once reads query by query."""
        return PAIRS_AT_ONCE if isinstance(self._rerankers[name], PairScorer) else 0

    def _read_group(
        self, name: str, queries: Sequence[GatheredQuery], missing: Sequence[Sequence[PassageId]]
    ) -> list[GatheredQuery]:
        texts = [[self._index.passages.by_id(passage_id).content for passage_id in ids] for ids in missing]
        logits = self._logits(self._rerankers[name], [query.query.text for query in queries], texts)
        journal, kept, read = self._journals[name], self._kept[name], []
        for query, ids, values in zip(queries, missing, logits, strict=True):
            new = dict(zip(ids, values.tolist(), strict=True))
            if new and journal is not None:
                journal.add(query.query.id, new)
            kept[query.query.id] = {**kept.get(query.query.id, {}), **new}
            read.append(query.with_logits(name, kept[query.query.id]))
        return read

    def _logits(self, reranker: Reranker, queries: Sequence[str], texts: Sequence[Sequence[str]]) -> list[Floats]:
        if not isinstance(reranker, PairScorer):
            return [
                score_passages(reranker, query, passages).logits if passages else np.empty(0, dtype=np.float32)
                for query, passages in zip(queries, texts, strict=True)
            ]
        flat = [text for passages in texts for text in passages]
        asked = [query for query, passages in zip(queries, texts, strict=True) for _ in passages]
        logits = reranker.score_pairs(asked, flat) if flat else np.empty(0, dtype=np.float32)
        if logits.shape != (len(flat),) or not np.isfinite(logits).all():
            raise ModelError(f"Re-ranker {reranker.name} gave no finite number for each pair; choose another.")
        return np.split(logits, np.cumsum([len(passages) for passages in texts])[:-1])


def read_grid(
    readers: Readers,
    gathered: Sequence[GatheredQuery],
    grid: Grid,
    *,
    deadline: Deadline | None = None,
    progress: Progress = silent,
) -> ReRead:
    """Read what the pipelines of the grid need, shallow depths first, and leave out what time doesn't allow.

    The smallest depth is always read. Ordering by late interaction has it read the whole fused lists, so that is the
    first to go.

    Raises:
        ModelError: a re-ranker doesn't give one finite number for each passage.
    """
    deadline, notes = deadline or Deadline(), list[str]()
    done: list[int] = []
    if grid.late and "late" in grid.orders:
        whole = [_fused_passages(query, grid, depth=FIRST_DEPTH) for query in gathered]
        by_late = readers.read(LATE, gathered, whole, deadline=deadline.part(LATE_SHARE), progress=progress)
        if by_late is None:
            grid = replace(grid, orders=[order for order in grid.orders if order != "late"])
            notes.append("Time didn't allow ordering by late interaction; give a larger --budget to have it tried.")
        gathered = by_late or gathered
    for depth in sorted(grid.depths):
        read = _read_depth(readers, gathered, grid, depth, deadline if done else Deadline(), progress)
        if read is None:
            left = ", ".join(str(deep) for deep in sorted(grid.depths) if deep >= depth)
            notes.append(f"Time didn't allow re-ranking depth {left}; the same command with a larger --budget goes on.")
            break
        gathered = read
        done.append(depth)
    return ReRead(gathered=gathered, grid=replace(grid, depths=done), notes=tuple(notes))


def _read_depth(
    readers: Readers,
    gathered: Sequence[GatheredQuery],
    grid: Grid,
    depth: int,
    deadline: Deadline,
    progress: Progress,
) -> Sequence[GatheredQuery] | None:
    """The queries, read by every re-ranker to one depth; None if time ran out."""
    ordered_by_late = grid.late and "late" in grid.orders
    for name in grid.readers:
        if name == LATE and ordered_by_late:
            wanted = [_fused_passages(query, grid, depth=max(depth, FIRST_DEPTH)) for query in gathered]
        else:
            wanted = [_candidates(query, grid, depth=depth) for query in gathered]
        labeled = relabel(progress, f"{name}, depth {depth}")
        read = readers.read(name, gathered, wanted, deadline=deadline, progress=labeled)
        if read is None:
            return None
        gathered = read
    return gathered


def _candidates(query: GatheredQuery, grid: Grid, *, depth: int) -> set[PassageId]:
    """All passages that some pipeline of the grid re-ranks at this depth."""
    one = replace(grid, rerankers=("",))  # whichever reads them
    return {name for base in one.bases([depth]) for name in query.candidates(base).passage_ids}


def _fused_passages(query: GatheredQuery, grid: Grid, *, depth: int) -> set[PassageId]:
    """All passages of the lists whose heads are re-ranked, where these keep `depth` passages."""
    one = replace(grid, rerankers=("",), orders=("fused",))
    return {name for base in one.bases([depth]) for name in query.fused(base).passage_ids}


def _kept(journal: Journal | None) -> dict[str, dict[PassageId, float]]:
    """By query, the logits that were read before a stop."""
    kept: dict[str, dict[PassageId, float]] = {}
    for query, logits in () if journal is None else journal.items():
        kept.setdefault(query, {}).update({PassageId(name): float(value) for name, value in logits.items()})
    return kept


def _groups(missing: Sequence[Sequence[PassageId]], *, pairs: int) -> Iterable[list[int]]:
    """Places of queries that are read together: at least one, and at most so many of their missing passages."""
    group: list[int] = []
    count = 0
    for place, ids in enumerate(missing):
        if group and count + len(ids) > pairs:
            yield group
            group, count = [], 0
        group.append(place)
        count += len(ids)
    if group:
        yield group
