"""Measures a pipeline outside of the grid, such as what an index serves now, on the same queries."""

from collections.abc import Callable, Iterable, Sequence

from indexing.errors import SettingsError
from indexing.index import Index
from indexing.judged.fit import FittedSet
from indexing.progress import Progress, relabel, silent
from indexing.records import PassageId, QueryId
from search.retrieve import bm25_settings
from search.served import LATE
from training.choosing.contenders import Contender
from training.choosing.deadline import Deadline
from training.choosing.gathered import GatheredQuery
from training.choosing.readers import Readers
from training.choosing.stopping import ndcg_of

Gather = Callable[..., list[GatheredQuery]]
"""`gather_first` on an index and its judged queries."""


def measure_other(
    contender: Contender,
    index: Index,
    *,
    fitted: FittedSet,
    gather: Gather,
    readers: Readers,
    deadline: Deadline,
    progress: Progress = silent,
) -> dict[QueryId, float]:
    """nDCG@10 by query of one pipeline, searched with its own k1, b and depth, and read as far as it isn't yet.

    Raises:
        SettingsError: it can't be measured, as its re-ranker isn't open, or time doesn't allow it.
        ModelError: a re-ranker doesn't give one finite number for each passage.
    """
    settings = contender.settings
    bm25 = bm25_settings(index, k1=settings.k1, b=settings.b)
    gathered: Sequence[GatheredQuery] = gather(bm25=bm25, depths=[settings.depth])
    for name in contender.readers:
        if name not in readers:
            raise SettingsError(f"its re-ranker {name} isn't open.")
        wanted = [_read_of(query, contender, name) for query in gathered]
        fits = deadline.at is None or deadline.allows(readers.estimate(name, gathered, wanted))
        labeled = relabel(progress, f"{name}, as served now")
        read = readers.read(name, gathered, wanted, deadline=deadline, progress=labeled) if fits else None
        if read is None:
            raise SettingsError("time didn't allow it; give a larger --budget.")
        gathered = read
    return ndcg_of({query.query.id: query.rank(contender) for query in gathered}, fitted.judged.qrels)


def _read_of(query: GatheredQuery, contender: Contender, name: str) -> Iterable[PassageId]:
    whole = name == LATE and contender.settings.rerank_order == "late"
    return (query.fused(contender) if whole else query.candidates(contender)).passage_ids
