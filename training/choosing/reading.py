"""Has re-rankers read the passages that some pipeline of the grid would read, depth by depth, within a time limit."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from indexing.progress import Progress, relabel, silent
from indexing.records import PassageId
from search.served import LATE
from training.choosing.contenders import FIRST_DEPTH, FirstStageChoice, Grid
from training.choosing.deadline import Deadline
from training.choosing.gathered import GatheredQuery
from training.choosing.readers import Readers

LATE_SHARE = 1 / 3
"""Of the time, what late interaction may take to read the whole fused lists."""


@dataclass(frozen=True, kw_only=True)
class ReRead:
    """What was read, and the part of the grid that this allows."""

    gathered: Sequence[GatheredQuery]
    grid: Grid
    notes: tuple[str, ...] = ()
    """What was left out for want of time."""


def read_grid(
    readers: Readers,
    gathered: Sequence[GatheredQuery],
    grid: Grid,
    *,
    deadline: Deadline | None = None,
    best_first: FirstStageChoice | None = None,
    progress: Progress = silent,
) -> ReRead:
    """Read what the pipelines of the grid need, shallow depths first, and leave out what time doesn't allow.

    Each step is estimated before it begins. The first to go is the order by late interaction, which has it read the
    whole fused lists; then larger depths. Where not even the smallest depth fits, re-rankers are left out, the last
    first, and then all first stages but `best_first`; what remains is read in any case.

    Raises:
        ModelError: a re-ranker doesn't give one finite number for each passage.
    """
    deadline, notes = deadline or Deadline(), list[str]()
    if grid.late and "late" in grid.orders:
        part = deadline.part(LATE_SHARE)
        orders = [order for order in grid.orders if order != "late"]
        whole = _Wanted(gathered, grid).whole(FIRST_DEPTH)
        fits = part.at is None or part.allows(readers.estimate(LATE, gathered, whole))
        by_late = readers.read(LATE, gathered, whole, deadline=part, progress=progress) if fits else None
        if by_late is None:
            grid = replace(grid, orders=orders)
            notes.append("Time didn't allow ordering by late interaction; give a larger --budget to have it tried.")
        gathered = by_late or gathered
    grid, wanted, left_out = _affordable(readers, gathered, grid, deadline, best_first)
    read, done = _read_depths(readers, gathered, grid, wanted, deadline, progress)
    if left := [str(depth) for depth in sorted(grid.depths) if depth not in done]:
        depths = ", ".join(left)
        notes.append(f"Time didn't allow re-ranking depth {depths}; the same command with a larger --budget goes on.")
    return ReRead(gathered=read, grid=replace(grid, depths=done), notes=(*left_out, *notes))


class _Wanted:
    """The passages of each query that some pipeline of a grid has a re-ranker read; each list is ordered once."""

    def __init__(self, gathered: Sequence[GatheredQuery], grid: Grid) -> None:
        self._gathered, self._grid = gathered, grid
        self._whole: dict[int, list[set[PassageId]]] = {}
        self._lists: list[list[Sequence[PassageId]]] = []

    def of(self, name: str, depth: int) -> list[set[PassageId]]:
        """By query, what one re-ranker reads at this depth."""
        if depth > FIRST_DEPTH or (name == LATE and self._grid.late and "late" in self._grid.orders):
            return self.whole(depth)  # deep lists are no longer than what is re-ranked
        return [{name for ids in lists for name in ids[:depth]} for lists in self._ordered()]

    def whole(self, depth: int) -> list[set[PassageId]]:
        """By query, all passages of the lists whose heads are re-ranked at this depth."""
        deep = max(depth, FIRST_DEPTH)
        if deep not in self._whole:
            bases = list(replace(self._grid, rerankers=("",), orders=("fused",)).bases([deep]))
            self._whole[deep] = [
                {name for base in bases for name in query.fused(base).passage_ids} for query in self._gathered
            ]
        return self._whole[deep]

    def seconds(self, readers: Readers, depth: int) -> float:
        """How long reading to a depth would take all re-rankers together."""
        return sum(readers.estimate(name, self._gathered, self.of(name, depth)) for name in self._grid.readers)

    def _ordered(self) -> list[list[Sequence[PassageId]]]:
        """By query, the ids of each list of `FIRST_DEPTH` in each order."""
        if not self._lists:
            bases = list(replace(self._grid, rerankers=("",)).bases([FIRST_DEPTH]))  # whichever reads them
            self._lists = [
                [query.scored(query.fused(base), base.settings.rerank_order).passage_ids for base in bases]
                for query in self._gathered
            ]
        return self._lists


def _read_depths(
    readers: Readers,
    gathered: Sequence[GatheredQuery],
    grid: Grid,
    wanted: _Wanted,
    deadline: Deadline,
    progress: Progress,
) -> tuple[Sequence[GatheredQuery], list[int]]:
    """The queries, and the depths that they were read to, of which the smallest is read however long it takes."""
    done: list[int] = []
    for depth in sorted(grid.depths):
        if done and deadline.at is not None and not deadline.allows(wanted.seconds(readers, depth)):
            break
        read = _read_depth(readers, gathered, grid, wanted, depth, deadline if done else Deadline(), progress)
        if read is None:
            break
        gathered = read
        done.append(depth)
    return gathered, done


def _affordable(
    readers: Readers,
    gathered: Sequence[GatheredQuery],
    grid: Grid,
    deadline: Deadline,
    best_first: FirstStageChoice | None,
) -> tuple[Grid, _Wanted, list[str]]:
    """The part of the grid whose smallest depth can be read in time, what it reads, and what was left out."""
    notes, wanted = list[str](), _Wanted(gathered, grid)
    if deadline.at is None:
        return grid, wanted, notes
    least = min(grid.depths)
    while len(grid.rerankers) > 1 and not deadline.allows(wanted.seconds(readers, least)):
        last = grid.rerankers[-1]
        grid = replace(grid, rerankers=tuple(grid.rerankers[:-1]), late=grid.late and last != LATE)
        wanted = _Wanted(gathered, grid)
        notes.append(f"Time didn't allow trying {last}; give a larger --budget to have it tried.")
    if best_first is not None and not deadline.allows(wanted.seconds(readers, least)):
        grid = replace(grid, reranked_stages=(best_first,))
        wanted = _Wanted(gathered, grid)
        notes.append("Time allowed re-ranking only the list of the best first stage; give a larger --budget for all.")
    seconds = wanted.seconds(readers, least)
    if not deadline.allows(seconds):
        notes.append(f"The least that can be read takes about {max(seconds, 1):.0f} s, longer than --budget allows.")
    return grid, wanted, notes


def _read_depth(
    readers: Readers,
    gathered: Sequence[GatheredQuery],
    grid: Grid,
    wanted: _Wanted,
    depth: int,
    deadline: Deadline,
    progress: Progress,
) -> Sequence[GatheredQuery] | None:
    """The queries, read by every re-ranker to one depth; None if time ran out."""
    for name in grid.readers:
        labeled = relabel(progress, f"{name}, depth {depth}")
        read = readers.read(name, gathered, wanted.of(name, depth), deadline=deadline, progress=labeled)
        if read is None:
            return None
        gathered = read
    return gathered
