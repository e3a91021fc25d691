"""Open re-rankers that read passages of judged queries: each passage once, kept in case of a stop, at a known speed."""

import time
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from indexing.errors import ModelError
from indexing.index import Index
from indexing.progress import Progress, silent
from indexing.records import Floats, PassageId
from search.journal import Journal
from search.rerank.late_interaction import LateInteractionReranker
from search.rerank.reranker import PairScorer, Reranker, score_passages
from search.served import LATE
from training.choosing.deadline import Deadline
from training.choosing.gathered import GatheredQuery
from training.choosing.sharing import ALONE, Sharing
from training.evaluation.candidates import groups_of

PROBED = (4, 16)
"""Pairs that are read to learn a re-ranker's speed: the first, which load and compile, and those that are timed."""


class Readers:
    """Open re-rankers with the journals of what they have read."""

    def __init__(
        self,
        index: Index,
        rerankers: Mapping[str, Reranker],
        journals: Mapping[str, Journal | None],
        *,
        sharing: Sharing = ALONE,
    ) -> None:
        """Both by the re-ranker's name in the grid."""
        self._index, self._rerankers, self._journals = index, rerankers, journals
        self._sharing = sharing
        self._kept = {name: _kept(journal) for name, journal in journals.items()}
        self._speeds: dict[str, float] = {}

    def __contains__(self, name: object) -> bool:
        """Whether there is a re-ranker of this name."""
        return name in self._rerankers and name in self._journals

    def seconds(self, name: str, pairs: int) -> float:
        """How long reading so many pairs takes by what was read so far; 0 before anything was."""
        return pairs * self._speeds.get(name, 0.0)

    def estimate(self, name: str, gathered: Sequence[GatheredQuery], wanted: Sequence[Iterable[PassageId]]) -> float:
        """Seconds that it would take to read what is wanted of each query.

        A few pairs are read, and kept, where the re-ranker's speed isn't known yet.
        """
        missing = self._missing(name, gathered, wanted)
        for pairs in PROBED if name not in self._speeds else ():
            self._probe(name, gathered, missing, pairs)
            missing = self._missing(name, gathered, wanted)
        return self.seconds(name, sum(map(len, missing)))

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
        missing = self._missing(name, gathered, wanted)
        total, begun = sum(map(len, missing)), time.perf_counter()
        done = 0
        found: list[GatheredQuery] = []
        for group in groups_of(missing, pairs=self._at_once(name)):
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

    def _missing(
        self, name: str, gathered: Sequence[GatheredQuery], wanted: Sequence[Iterable[PassageId]]
    ) -> list[list[PassageId]]:
        return [self.missing(name, query, passages) for query, passages in zip(gathered, wanted, strict=True)]

    def _probe(
        self, name: str, gathered: Sequence[GatheredQuery], missing: Sequence[Sequence[PassageId]], pairs: int
    ) -> None:
        longest = max(range(len(missing)), key=lambda place: len(missing[place]), default=0)
        few = list(missing[longest][:pairs]) if missing else []
        if few:
            begun = time.perf_counter()
            self._read_group(name, [gathered[longest]], [few])
            self._speeds[name] = (time.perf_counter() - begun) / len(few)

    def _at_once(self, name: str) -> int:
        """Pairs that a re-ranker reads together; one that can't read several queries' at once reads query by query."""
        together = isinstance(self._rerankers[name], PairScorer) and self._late(name) is None
        return self._sharing.pairs if together else 0

    def _read_group(
        self, name: str, queries: Sequence[GatheredQuery], missing: Sequence[Sequence[PassageId]]
    ) -> list[GatheredQuery]:
        logits = self._logits(name, [query.query.text for query in queries], missing)
        journal, kept, read = self._journals[name], self._kept[name], []
        for query, ids, values in zip(queries, missing, logits, strict=True):
            new = dict(zip(ids, values.tolist(), strict=True))
            if new and journal is not None:
                journal.add(query.query.id, new)
            kept[query.query.id] = {**kept.get(query.query.id, {}), **new}
            read.append(query.with_logits(name, kept[query.query.id]))
        return read

    def _logits(self, name: str, queries: Sequence[str], missing: Sequence[Sequence[PassageId]]) -> list[Floats]:
        late, reranker = self._late(name), self._rerankers[name]
        if late is not None:
            return [self._by_stored(late, query, ids) for query, ids in zip(queries, missing, strict=True)]
        texts = [[self._index.passages.by_id(passage_id).content for passage_id in ids] for ids in missing]
        if not isinstance(reranker, PairScorer):
            return [self._by_query(reranker, query, passages) for query, passages in zip(queries, texts, strict=True)]
        flat = [text for passages in texts for text in passages]
        asked = [query for query, passages in zip(queries, texts, strict=True) for _ in passages]
        logits = self._by_pairs(reranker, asked, flat)
        if not np.isfinite(logits).all():
            named = self._rerankers[name].name
            raise ModelError(f"Re-ranker {named} gave no finite number for each pair; choose another.")
        return np.split(logits, np.cumsum([len(passages) for passages in texts])[:-1])

    def _by_query(self, reranker: Reranker, query: str, passages: Sequence[str]) -> Floats:
        if not passages:
            return np.empty(0, dtype=np.float32)
        with self._sharing.turn():
            return score_passages(reranker, query, passages).logits

    def _by_pairs(self, reranker: PairScorer, queries: Sequence[str], passages: Sequence[str]) -> Floats:
        """(pairs,) float32, in turns of so many pairs; NaN in place of a block that hasn't a number for each."""
        logits = np.full(len(passages), np.nan, dtype=np.float32)
        for start in range(0, len(passages), self._sharing.pairs):
            block = slice(start, start + self._sharing.pairs)
            with self._sharing.turn():
                found = reranker.score_pairs(queries[block], passages[block])
            if found.shape == (len(passages[block]),):
                logits[block] = found
        return logits

    def _late(self, name: str) -> LateInteractionReranker | None:
        """Late interaction by the index's own bi-encoder, where the index stores the passages' token vectors."""
        reranker = self._rerankers[name]
        if name != LATE or not isinstance(reranker, LateInteractionReranker) or self._index.token_vectors is None:
            return None
        return reranker

    def _by_stored(self, late: LateInteractionReranker, query: str, ids: Sequence[PassageId]) -> Floats:
        """Late interaction with the stored token vectors, as a search computes it."""
        stored = self._index.token_vectors
        if stored is None or not ids:
            return np.empty(0, dtype=np.float32)
        rows = [self._index.passages.row_of(passage_id) for passage_id in ids]
        with self._sharing.turn():
            return late.score_vectors(query, [(stored.vectors(row), stored.cut(row)) for row in rows]).logits


def _kept(journal: Journal | None) -> dict[str, dict[PassageId, float]]:
    """By query, the logits that were read before a stop."""
    kept: dict[str, dict[PassageId, float]] = {}
    for query, logits in () if journal is None else journal.items():
        kept.setdefault(query, {}).update({PassageId(name): float(value) for name, value in logits.items()})
    return kept
