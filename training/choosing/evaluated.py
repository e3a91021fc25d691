"""An index with its judged queries: gathered, read and evaluated with the whole grid, ready to choose from."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from indexing.bm25.settings import Bm25Settings
from indexing.dense.encoder import BiEncoder
from indexing.errors import SettingsError
from indexing.index import Index
from indexing.judged.fit import FittedSet
from indexing.notes import Note, log_note, silent_note
from indexing.progress import Progress, silent
from indexing.provenance import package_version
from indexing.records import QueryId, Run
from search.answers import queries_fingerprint
from search.journal import Journal
from search.rerank.reranker import Reranker
from search.served import NO_RERANKER
from training.choosing.choose import Halves, choose
from training.choosing.contenders import Contender, FirstStageChoice, Grid
from training.choosing.deadline import Deadline
from training.choosing.first_stage import choose_bm25, gather_first
from training.choosing.gathered import GatheredQuery
from training.choosing.grid import GridValues, grid_values
from training.choosing.others import measure_other
from training.choosing.readers import Readers
from training.choosing.reading import read_grid
from training.choosing.sharing import ALONE, Sharing
from training.evaluation.kept import KeptSearches

BM25, DENSE, FIRST_STAGE, SERVED_NOW = "BM25", "dense", "first stage", "served now"
SERVED_SHARE = 1 / 2
"""Of the time for reading, what measuring the pipeline that is served now may take."""


@dataclass(frozen=True)
class KeptReading:
    """A folder of journals: what was searched, and what each re-ranker read, so that a stopped command goes on."""

    folder: Path
    fingerprints: Mapping[str, str]
    """Of each re-ranker's files, by its name in the grid."""

    def open(self, stack: ExitStack, index: Index, name: str, identity: Mapping[str, Any]) -> Journal | None:
        """The journal of a re-ranker, or of the first stage (`none`); None where another process has it."""
        kept = KeptSearches(self.folder, self.fingerprints.get(name, name), silent_note)
        manifest = index.manifest
        searched = {"index": manifest.name, "build": manifest.build, "program": package_version()}
        label = "first-stage" if name == NO_RERANKER else name.replace("/", "-").replace(":", "-")
        return stack.enter_context(kept.open(f"{manifest.name}-{label}", {**searched, **identity}))


@dataclass(frozen=True, kw_only=True)
class Evaluated:
    """The grid's figures on one index."""

    index: Index = field(repr=False)
    fitted: FittedSet = field(repr=False)
    halves: Halves
    bm25: Bm25Settings
    """With the k1 and b that were chosen."""
    grid: Grid
    """What was evaluated: without what time didn't allow."""
    gathered: Mapping[QueryId, GatheredQuery] = field(repr=False)
    values: GridValues = field(repr=False)
    served: Mapping[QueryId, float] | None = field(default=None, repr=False)
    """nDCG@10 by query of what is served now; None where it wasn't asked for, or couldn't be measured."""
    notes: tuple[str, ...]

    def best(self) -> dict[str, Contender]:
        """The pipeline of each kind that is best on the choosing half."""
        kinds: dict[str, list[int]] = {}
        for row, contender in enumerate(self.values.contenders):
            for kind in kinds_of(contender):
                kinds.setdefault(kind, []).append(row)
        return {kind: choose(self.values, self.halves.choosing, rows) for kind, rows in kinds.items()}

    def value(self, contender: Contender, queries: Iterable[QueryId]) -> dict[QueryId, float]:
        """nDCG@10 by query of a pipeline of the grid. Raises ValueError for one that isn't."""
        values = self.values.of(self.values.contenders.index(contender))
        return {query: values[query] for query in queries}


def kinds_of(contender: Contender) -> Iterator[str]:
    """The rows of a table of the best that a pipeline may stand in."""
    settings = contender.settings
    if contender.run:
        yield contender.run if not contender.reranks else f"{contender.run}, re-ranked"
    elif not contender.reranks:
        yield FIRST_STAGE
        if settings.fusion in ("bm25", "dense"):
            yield BM25 if settings.fusion == "bm25" else DENSE
    else:
        yield contender.reranker if settings.rerank_weight == 1 else f"{contender.reranker}, mixed"


@dataclass(frozen=True, kw_only=True)
class ChoosingSettings:
    """What is tried, and how long reading may take."""

    grid: Grid
    runs: Mapping[str, Run] = field(default_factory=dict, repr=False)
    """Other systems' lists by name; these are compared, and re-ranked too."""
    seed: int = 0
    """Of the halves."""
    served: Contender | None = None
    """What is served now, which is measured too."""
    seconds: float | None = None
    """For reading; None for no limit. The smallest depth is read in any case."""


def evaluate_index(
    index: Index,
    encoder: BiEncoder,
    rerankers: Mapping[str, Reranker],
    fitted: FittedSet,
    *,
    settings: ChoosingSettings,
    keep: KeptReading | None = None,
    note: Note = log_note,
    sharing: Sharing = ALONE,
    progress: Progress = silent,
) -> Evaluated:
    """Gather what the grid's pipelines need of each judged query, and evaluate them all.

    `rerankers` are those of the grid by their names there, and late interaction's if the grid has it. What was read in
    an earlier call with `keep` isn't read again. Raises ModelError as `read_grid` does.
    """
    deadline = Deadline.after(settings.seconds)
    halves = Halves.of((query.id for query in fitted.judged.queries), seed=settings.seed)
    bm25 = choose_bm25(index, fitted, halves.choosing or halves.comparing, progress=progress)
    grid = _with_bm25(replace(settings.grid, runs=tuple(settings.runs)), index, bm25)
    gather = partial(gather_first, index, encoder, fitted, sharing=sharing, progress=progress)
    with ExitStack() as stack:
        journals = _Journals(index, fitted, keep, stack)
        kept = journals.first_stage(grid, bm25, settings.runs)
        first = gather(bm25=bm25, depths=grid.first_depths, runs=settings.runs, journal=kept)
        names = grid.readers if settings.served is None else (*grid.readers, *settings.served.readers)
        open_ones = {name: journals.reading(name, note) for name in dict.fromkeys(names) if name in rerankers}
        readers = Readers(index, rerankers, open_ones, sharing=sharing)
        part = deadline.part(SERVED_SHARE)
        measure = partial(measure_other, index=index, fitted=fitted, gather=gather, readers=readers)
        measure = partial(measure, deadline=part, progress=progress)
        served, told = _served(settings.served, measure, name=index.manifest.name)
        best_first = _best_first(first, fitted, grid, halves)
        read = read_grid(readers, first, grid, deadline=deadline, best_first=best_first, progress=progress)
    return Evaluated(
        index=index,
        fitted=fitted,
        halves=halves,
        bm25=bm25,
        grid=read.grid,
        gathered={query.query.id: query for query in read.gathered},
        values=grid_values(read.gathered, fitted.judged.qrels, read.grid, progress=progress),
        served=served,
        notes=(*fitted.notes, *told, *read.notes),
    )


def _served(
    served: Contender | None, measure: Callable[[Contender], Mapping[QueryId, float]], *, name: str
) -> tuple[Mapping[QueryId, float] | None, list[str]]:
    """What an index serves now, measured; else why it isn't."""
    if served is None:
        return None, []
    try:
        return measure(served), []
    except SettingsError as error:
        return None, [f"What {name} serves now isn't compared: {error}"]


def _best_first(
    gathered: Sequence[GatheredQuery], fitted: FittedSet, grid: Grid, halves: Halves
) -> FirstStageChoice | None:
    """The first stage that is best by itself on the choosing half; None where there is none of ours."""
    if not halves.choosing or not grid.first_stages:
        return None
    values = grid_values(gathered, fitted.judged.qrels, replace(grid, rerankers=(), runs=()))
    best = choose(values, halves.choosing, range(len(values.contenders))).settings
    return FirstStageChoice(fusion=best.fusion, rrf_k=best.rrf_k, bm25_weight=best.bm25_weight)


def _with_bm25(grid: Grid, index: Index, bm25: Bm25Settings) -> Grid:
    """The grid with this k1 and b; None where they are the index's own."""
    own = index.manifest.bm25
    return replace(grid, k1=None if bm25.k1 == own.k1 else bm25.k1, b=None if bm25.b == own.b else bm25.b)


@dataclass(frozen=True)
class _Journals:
    """Opens the journals of one index's queries, for as long as the stack lasts."""

    index: Index
    fitted: FittedSet
    keep: KeptReading | None
    stack: ExitStack

    def first_stage(self, grid: Grid, bm25: Bm25Settings, runs: Mapping[str, Run]) -> Journal | None:
        """What was searched."""
        identity = {"k1": bm25.k1, "b": bm25.b, "depths": list(grid.first_depths), "runs": _fingerprints(runs)}
        return self._open(NO_RERANKER, identity)

    def reading(self, name: str, note: Note) -> Journal | None:
        """What a re-ranker read."""
        journal = self._open(name, {})
        if journal is not None and journal.kept:
            note(f"What {name} read before for {self.index.manifest.name} is kept and isn't read again.")
        return journal

    def _open(self, name: str, identity: Mapping[str, Any]) -> Journal | None:
        if self.keep is None:
            return None
        queries = {"queries": queries_fingerprint(self.fitted.judged.queries), "own": sorted(self.fitted.own)}
        return self.keep.open(self.stack, self.index, name, {**queries, **identity})


def _fingerprints(runs: Mapping[str, Run]) -> dict[str, str]:
    """What changes with each system's lists."""
    content = {
        name: repr([(query, run[query].passage_ids, run[query].scores.tolist()) for query in sorted(run)])
        for name, run in runs.items()
    }
    return {name: hashlib.sha256(text.encode()).hexdigest()[:16] for name, text in content.items()}
